#include "node/reporter.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/str.h"
#include "io/kprod.h"
#include "node/envelope.h"
#include "node/spool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOPIC "fairlead.reports"
/* Of reports in one envelope; a coordinator takes no more of them in one (coordinator/ingest_own.h). */
#define BYTES_MAX 400000
#define REPORTS_MAX 8000

/* What one caller sends: packed Report messages, each as field 3 of Reports. */
struct parcel {
    struct parcel *next;
    struct str packed;
    size_t n;
    char about[80];   /* what it speaks of, where the last word is enough; or "" */
    bool replaceable; /* it says nothing that a newer word would not */
    bool waited, done;
};

struct reporter {
    const struct node_identity *node;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t work, finished;
    struct parcel *head, **tail;
    struct kprod *kprod;
    unsigned certificate; /* the producer was made by: node_identity.renewed */
    uint64_t n;
    struct uuid stream;
    bool stopping;
    _Atomic int64_t give_up_at; /* 0: never */
    bool delivered, failed;
};

static void reported(void *arg, uint64_t tag, enum kprod_result result, const char *reason) {
    struct reporter *reporter = arg;
    (void)tag;
    if (result != KPROD_DELIVERED) {
        log_warn("reports are not delivered yet", LOG_S("error", reason));
        return;
    }
    reporter->delivered = true;
    metric_add(METRIC_REPORTS_SENT, "", 1);
}

#define FIELD_HEAD_MAX 6 /* tag and length of one report */

static void put_varint(struct str *out, uint64_t v) {
    for (; v >= 0x80; v >>= 7)
        str_add(out, &(char){(char)(uint8_t)(v | 0x80)}, 1);
    str_add(out, &(char){(char)(uint8_t)v}, 1);
}

/* As many of them as one envelope holds. */
static struct parcel *pack(struct reporter *reporter, Fairlead__V1__Report **reports, size_t n, bool waited) {
    struct parcel *parcel = mem_alloc(sizeof *parcel);
    parcel->packed = STR_INIT(ENVELOPE_BYTES_MAX - 1000);
    parcel->waited = waited;
    for (size_t i = 0; i < n; i++) {
        reports[i]->n = ++reporter->n;
        reports[i]->at_us = clock_wall_us();
        size_t size = fairlead__v1__report__get_packed_size(reports[i]);
        if (parcel->n &&
            (parcel->packed.n + size + FIELD_HEAD_MAX > parcel->packed.max || parcel->n == REPORTS_MAX))
            break;
        cleanup_free uint8_t *bytes = mem_alloc(size);
        fairlead__v1__report__pack(reports[i], bytes);
        str_add(&parcel->packed, "\x1a", 1); /* Reports.reports */
        put_varint(&parcel->packed, size);
        str_add(&parcel->packed, bytes, size);
        parcel->n++;
    }
    return parcel;
}

static void submit(struct reporter *reporter, struct parcel *parcel) {
    *reporter->tail = parcel;
    reporter->tail = &parcel->next;
    pthread_cond_signal(&reporter->work);
}

bool reporter_send(struct reporter *reporter, Fairlead__V1__Report **reports, size_t n) {
    bool done = true;
    pthread_mutex_lock(&reporter->mutex);
    for (size_t i = 0; i < n && done;) {
        struct parcel *parcel = pack(reporter, reports + i, n - i, true);
        i += parcel->n;
        submit(reporter, parcel);
        while (!parcel->done && !reporter->failed)
            pthread_cond_wait(&reporter->finished, &reporter->mutex);
        done = parcel->done;
        if (done) { /* else the thread still holds it, and the program ends */
            str_release(&parcel->packed);
            free(parcel);
        }
    }
    pthread_mutex_unlock(&reporter->mutex);
    return done;
}

static void name_subject(const Fairlead__V1__Report *report, struct parcel *parcel) {
    const Fairlead__V1__DocumentReport *document = report->document;
    size_t size = sizeof parcel->about;
    char hex[33] = "";
    parcel->replaceable = true;
    if (report->body_case == FAIRLEAD__V1__REPORT__BODY_PRESENCE) {
        (void)snprintf(parcel->about, size, "presence");
    } else if (report->body_case == FAIRLEAD__V1__REPORT__BODY_INVENTORY) {
        (void)snprintf(parcel->about, size, "inventory %u", report->inventory->part);
    } else if (report->body_case == FAIRLEAD__V1__REPORT__BODY_DOCUMENT && document->instance.len == 16) {
        hex_encode(hex, document->instance.data, 16);
        (void)snprintf(parcel->about, size, "%s %.32s %.8s", hex, document->kind, document->set);
        parcel->replaceable = !document->n_delivered && !document->n_recovery && !document->n_facts;
    }
}

/* While the broker is away a newer word takes the place of the last one: what waits stays as much as there is
 * to speak of. */
static bool replace(struct reporter *reporter, struct parcel *parcel) {
    struct parcel *last = NULL;
    for (struct parcel *old = reporter->head; old && *parcel->about; old = old->next)
        last = str_eq(old->about, parcel->about) ? old : last;
    if (!last || !last->replaceable)
        return false;
    str_release(&last->packed);
    last->packed = parcel->packed;
    last->replaceable = parcel->replaceable;
    free(parcel);
    return true;
}

/* Nobody is told before somebody comes and carries it. */
static void keep(struct reporter *reporter, const Fairlead__V1__Report *report) {
    struct err err = {0};
    pthread_mutex_lock(&reporter->mutex);
    if (spool_keep(reporter->node->state, report, &err) < 0)
        log_error("a report is not kept", LOG_S("error", err.text));
    pthread_mutex_unlock(&reporter->mutex);
}

void reporter_post(struct reporter *reporter, Fairlead__V1__Report *report) {
    if (reporter->node->by_file) {
        keep(reporter, report);
        return;
    }
    pthread_mutex_lock(&reporter->mutex);
    struct parcel *parcel = pack(reporter, &report, 1, false);
    name_subject(report, parcel);
    if (!replace(reporter, parcel))
        submit(reporter, parcel);
    pthread_mutex_unlock(&reporter->mutex);
}

/* Head of Reports: node and stream. */
static void add_head(const struct reporter *reporter, struct str *out) {
    Fairlead__V1__Reports head = FAIRLEAD__V1__REPORTS__INIT;
    uint8_t bytes[64];
    struct uuid id = reporter->node->id, stream = reporter->stream;
    head.node = (ProtobufCBinaryData){sizeof id.b, id.b};
    head.stream = (ProtobufCBinaryData){sizeof stream.b, stream.b};
    str_add(out, bytes, fairlead__v1__reports__pack(&head, bytes));
}

static bool deliver(struct reporter *reporter, const struct str *payload) {
    struct arena arena = {0};
    struct err err = {0};
    size_t n;
    void *envelope =
        envelope_make(&reporter->node->keys, ENVELOPE_REPORTS, payload->s, payload->n, &arena, &n);
    reporter->delivered = false;
    unsigned renewed = atomic_load(&reporter->node->renewed);
    if (!reporter->kprod || kprod_fatal(reporter->kprod) || reporter->certificate != renewed) {
        kprod_close(reporter->kprod);
        reporter->certificate = renewed;
        struct broker broker = node_broker(reporter->node);
        reporter->kprod = kprod_open(&broker, reporter->node->name, reported, reporter, &err);
    }
    if (reporter->kprod &&
        kprod_send(reporter->kprod, TOPIC, -1, reporter->node->id.b, sizeof reporter->node->id.b, envelope, n,
                   NULL, 0, &err) == 0 &&
        !kprod_flush(reporter->kprod, 8000))
        kprod_purge(reporter->kprod);
    arena_release(&arena);
    log_debug(LOG_REPORTER, "reports", LOG_I("bytes", payload->n), LOG_I("delivered", reporter->delivered));
    if (err.cls)
        log_warn("reports are not sent yet", LOG_S("error", err.text));
    return reporter->delivered;
}

/* Takes what waits, up to one envelope's worth. Called and returns with the mutex held. */
static struct parcel *take(struct reporter *reporter, struct str *payload) {
    struct parcel *taken = reporter->head, *last = taken;
    size_t n = taken->n;
    add_head(reporter, payload);
    str_add(payload, taken->packed.s, taken->packed.n);
    while (last->next && payload->n + last->next->packed.n < BYTES_MAX && n + last->next->n <= REPORTS_MAX) {
        last = last->next;
        n += last->n;
        str_add(payload, last->packed.s, last->packed.n);
    }
    reporter->head = last->next;
    if (!reporter->head)
        reporter->tail = &reporter->head;
    last->next = NULL;
    return taken;
}

static void finish(struct reporter *reporter, struct parcel *taken) {
    for (struct parcel *next; taken; taken = next) {
        next = taken->next;
        taken->done = true;
        if (taken->waited)
            continue; /* its caller frees it */
        str_release(&taken->packed);
        free(taken);
    }
    pthread_cond_broadcast(&reporter->finished);
}

static void *run(void *arg) {
    struct reporter *reporter = arg;
    pthread_mutex_lock(&reporter->mutex);
    for (;;) {
        while (!reporter->head && !reporter->stopping)
            pthread_cond_wait(&reporter->work, &reporter->mutex);
        if (!reporter->head)
            break;
        cleanup_str struct str payload = STR_INIT(ENVELOPE_BYTES_MAX);
        struct parcel *taken = take(reporter, &payload);
        pthread_mutex_unlock(&reporter->mutex);
        bool delivered, failed = false;
        while (!(delivered = deliver(reporter, &payload))) {
            failed = true;
            if (reporter->give_up_at && clock_mono_us() > reporter->give_up_at)
                break;
            (void)usleep(100000);
        }
        if (failed)
            kprod_close(mem_steal(reporter->kprod)); /* it has gone through an outage (io/kprod.h) */
        pthread_mutex_lock(&reporter->mutex);
        if (!delivered)
            break;
        finish(reporter, taken);
    }
    reporter->failed = true;
    pthread_cond_broadcast(&reporter->finished);
    pthread_mutex_unlock(&reporter->mutex);
    return NULL;
}

/* The first 48 bits are milliseconds (RFC 9562, 5.7). */
static int64_t stream_ms(struct uuid stream) {
    int64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | stream.b[i];
    return ms;
}

int reporter_next_stream(const char *state, struct uuid *ret, struct err *err) {
    char path[4200], text[UUID_TEXT_SIZE];
    cleanup_free char *kept = NULL;
    struct uuid last = {0};
    (void)snprintf(path, sizeof path, "%s/stream", state);
    if (file_exists(path)) {
        if (file_read(path, 64, &kept, NULL, err) < 0)
            return -1;
        kept[strcspn(kept, "\n")] = '\0';
        if (!uuid_parse(kept, &last))
            return err_set(err, ERR_PARK, "\"%s\" holds no identity: remove it if this node was not restored",
                           path);
    }
    int64_t now = clock_wall_us(), least = (stream_ms(last) + 1) * CLOCK_MS;
    *ret = uuid_make(now > least ? now : least);
    return file_write(path, uuid_text(*ret, text), UUID_TEXT_SIZE - 1, 0600, err);
}

struct reporter *reporter_start(const struct node_identity *node, const char *state, struct err *err) {
    struct uuid stream;
    if (reporter_next_stream(state, &stream, err) < 0)
        return NULL;
    struct reporter *reporter = mem_alloc(sizeof *reporter);
    reporter->node = node;
    reporter->tail = &reporter->head;
    reporter->stream = stream;
    pthread_mutex_init(&reporter->mutex, NULL);
    pthread_cond_init(&reporter->work, NULL);
    pthread_cond_init(&reporter->finished, NULL);
    if (node->by_file || pthread_create(&reporter->thread, NULL, run, reporter) == 0)
        return reporter;
    (void)err_errno(err, ERR_RETRY, "cannot start a thread");
    free(reporter);
    return NULL;
}

void reporter_hurry(struct reporter *reporter) {
    if (!reporter->give_up_at)
        reporter->give_up_at = clock_mono_us() + 5 * CLOCK_S;
}

void reporter_stop(struct reporter *reporter) {
    if (!reporter)
        return;
    reporter_hurry(reporter);
    pthread_mutex_lock(&reporter->mutex);
    reporter->stopping = true;
    pthread_cond_signal(&reporter->work);
    pthread_mutex_unlock(&reporter->mutex);
    if (!reporter->node->by_file)
        pthread_join(reporter->thread, NULL);
    kprod_close(reporter->kprod);
    free(reporter);
}
