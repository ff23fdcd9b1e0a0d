/* Writes records of 900 KB to a topic as fast as the broker takes them, and prints for how long the broker
 * has told it to be quiet, at most (ms). usage: flood BROKERS CERTIFICATE TOPIC RECORDS   (FAIRLEAD_KAFKA_CA)
 */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_SIZE 900000

static int longest_ms;
static long taken;

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *record, void *arg) {
    (void)rk, (void)arg;
    taken += !record->err;
}

static void throttled(rd_kafka_t *rk, const char *broker, int32_t id, int ms, void *arg) {
    (void)rk, (void)broker, (void)id, (void)arg;
    longest_ms = ms > longest_ms ? ms : longest_ms;
}

int main(int argc, char **argv) {
    char why[300] = "usage: flood BROKERS CERTIFICATE TOPIC RECORDS";
    const char *ca = getenv("FAIRLEAD_KAFKA_CA");
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (argc != 5 || !ca) {
        (void)fprintf(stderr, "%s\n", why);
        return 2;
    }
    const char *const settings[][2] = {
        {"bootstrap.servers", argv[1]}, {"security.protocol", "ssl"},
        {"ssl.ca.location", ca},        {"ssl.certificate.location", argv[2]},
        {"ssl.key.location", argv[2]},  {"queue.buffering.max.kbytes", "200000"}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof why) != RD_KAFKA_CONF_OK) {
            (void)fprintf(stderr, "flood: %s\n", why);
            return 1;
        }
    rd_kafka_conf_set_throttle_cb(conf, throttled);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    char *record = malloc(RECORD_SIZE);
    if (!rk || !record) {
        (void)fprintf(stderr, "flood: %s\n", why);
        return 1;
    }
    memset(record, 'x', RECORD_SIZE);
    for (long n = strtol(argv[4], NULL, 10); n > 0; n--) {
        (void)rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(argv[3]), RD_KAFKA_V_PARTITION(0),
                                RD_KAFKA_V_VALUE(record, RECORD_SIZE),
                                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        (void)rd_kafka_poll(rk, 0);
    }
    (void)rd_kafka_flush(rk, 60000);
    printf("%d\n", longest_ms);
    bool all = taken == strtol(argv[4], NULL, 10);
    if (!all)
        (void)fprintf(stderr, "flood: the broker has taken %ld of them\n", taken);
    rd_kafka_destroy(rk);
    free(record);
    return all ? 0 : 1;
}
