#include "io/kprod.h"

#include "base/mem.h"
#include "io/broker_own.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct topic {
    rd_kafka_topic_t *rkt;
    UT_hash_handle hh;
    char name[];
};

struct kprod {
    rd_kafka_t *rk;
    struct topic *topics; /* by name: all that was ever sent to */
    kprod_report *report;
    void *arg;
    int served;
    enum kprod_result last; /* of kprod_send() */
    atomic_bool away;
};

static enum kprod_result class_of(rd_kafka_resp_err_t code) {
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return KPROD_DELIVERED;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED: /* who makes topics gives the rights, too */
        return KPROD_UNKNOWN_TOPIC;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
        return KPROD_PERMANENT;
    default:
        return KPROD_TRANSIENT;
    }
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *arg) {
    struct kprod *kprod = arg;
    (void)rk;
    kprod->served++;
    if (kprod->report)
        kprod->report(kprod->arg, (uint64_t)(uintptr_t)message->_private, class_of(message->err),
                      rd_kafka_err2str(message->err));
}

/* Informational, on the polling thread: a connection that an idle producer lost is seen here only. */
static void failed(rd_kafka_t *rk, int code, const char *reason, void *arg) {
    struct kprod *kprod = arg;
    (void)rk, (void)reason;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__TRANSPORT)
        atomic_store(&kprod->away, true);
}

bool kprod_was_away(struct kprod *kprod) {
    return atomic_exchange(&kprod->away, false);
}

struct kprod *kprod_open(const struct broker *broker, const char *client, kprod_report *report, void *arg,
                         struct err *err) {
    char text[256];
    const char *const settings[][2] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"linger.ms", "0"}, /* whoever sends flushes, which knows no linger */
        {"message.timeout.ms", "5000"},
        {"socket.nagle.disable", "true"},
        {"socket.keepalive.enable", "true"},
        {"message.max.bytes", "1000000"},
        {"reconnect.backoff.max.ms", "1000"},
        {"socket.timeout.ms", "4000"},
        {"queue.buffering.max.kbytes", "65536"},
        {"topic.metadata.refresh.interval.ms", "60000"},
        {0},
    };
    rd_kafka_conf_t *conf = broker_conf(broker, client, settings, err);
    if (!conf)
        return NULL;
    struct kprod *kprod = mem_alloc(sizeof *kprod);
    kprod->report = report;
    kprod->arg = arg;
    rd_kafka_conf_set_opaque(conf, kprod);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_error_cb(conf, failed);
    kprod->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (kprod->rk)
        return kprod;
    (void)err_set(err, ERR_RETRY, "kafka producer: %s", text);
    rd_kafka_conf_destroy(conf);
    free(kprod);
    return NULL;
}

void kprod_close(struct kprod *kprod) {
    if (!kprod)
        return;
    (void)rd_kafka_flush(kprod->rk, 2000);
    kprod->report = NULL;
    struct topic *topic, *next;
    HASH_ITER(hh, kprod->topics, topic, next) {
        HASH_DEL(kprod->topics, topic);
        rd_kafka_topic_destroy(topic->rkt);
        free(topic);
    }
    rd_kafka_destroy(kprod->rk);
    free(kprod);
}

/* A handle asks for the topic's leader as it is made. A record that names its topic only waits for
 * librdkafka's own look around, up to a second (2.0.2), and each time the list of topics is walked for the
 * name. */
static rd_kafka_topic_t *handle_of(struct kprod *kprod, const char *name) {
    struct topic *topic;
    HASH_FIND_STR(kprod->topics, name, topic);
    if (topic)
        return topic->rkt;
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(kprod->rk, name, NULL);
    if (!rkt)
        return NULL;
    size_t n = strlen(name);
    topic = mem_alloc(sizeof *topic + n + 1);
    topic->rkt = rkt;
    memcpy(topic->name, name, n + 1);
    HASH_ADD_KEYPTR(hh, kprod->topics, topic->name, n, topic);
    return rkt;
}

static int refused(struct kprod *kprod, const char *topic, rd_kafka_resp_err_t code, struct err *err) {
    kprod->last = class_of(code);
    return err_set(err, kprod->last == KPROD_PERMANENT ? ERR_PARK : ERR_RETRY, "kafka topic \"%s\": %s",
                   topic, rd_kafka_err2str(code));
}

int kprod_send(struct kprod *kprod, const char *topic, int partition, const void *key, size_t key_n,
               const void *value, size_t value_n, const struct kprod_header *headers, uint64_t tag,
               struct err *err) {
    rd_kafka_headers_t *list = NULL;
    rd_kafka_topic_t *rkt = handle_of(kprod, topic);
    if (!rkt)
        return refused(kprod, topic, rd_kafka_last_error(), err);
    if (headers && headers->name) {
        list = rd_kafka_headers_new(8);
        for (; headers->name; headers++)
            if (headers->value)
                (void)rd_kafka_header_add(list, headers->name, -1, headers->value, -1);
    }
    rd_kafka_vu_t vus[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = rkt},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {.ptr = (void *)(uintptr_t)key, .size = key_n}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {.ptr = (void *)(uintptr_t)value, .size = value_n}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)tag},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = list},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(kprod->rk, vus, sizeof vus / sizeof *vus - (list ? 0 : 1));
    if (!error)
        return 0;
    if (list)
        rd_kafka_headers_destroy(list);
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return refused(kprod, topic, code, err);
}

int kprod_poll(struct kprod *kprod, int timeout_ms) {
    kprod->served = 0;
    (void)rd_kafka_poll(kprod->rk, timeout_ms);
    return kprod->served;
}

bool kprod_flush(struct kprod *kprod, int timeout_ms) {
    return rd_kafka_flush(kprod->rk, timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

void kprod_purge(struct kprod *kprod) {
    (void)rd_kafka_purge(kprod->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (rd_kafka_outq_len(kprod->rk) > 0)
        if (rd_kafka_poll(kprod->rk, 100) == 0)
            break;
}

bool kprod_fatal(const struct kprod *kprod) {
    char text[8];
    return rd_kafka_fatal_error(kprod->rk, text, sizeof text) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

enum kprod_result kprod_send_result(const struct kprod *kprod) {
    return kprod->last;
}
