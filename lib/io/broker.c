#include "base/file.h"
#include "io/broker_own.h"
#include "io/tunnel_own.h"

/* What goes wrong is told by whoever calls, once and in our words. */
static void no_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
    (void)rk, (void)level, (void)facility, (void)text;
}

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *err) {
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK)
        return 0;
    return err_set(err, ERR_BUG, "kafka setting \"%s\": %s", name, text);
}

static int set_file(rd_kafka_conf_t *conf, const char *name, const char *path, struct err *err) {
    if (!path)
        return 0;
    if (!file_exists(path)) /* the library would say so only when it connects, again and again */
        return err_set(err, ERR_PARK, "kafka: there is no file \"%s\"", path);
    return set(conf, name, path, err);
}

static int fill(rd_kafka_conf_t *conf, const struct broker *broker, const char *client,
                const char *const settings[][2], struct err *err) {
    if (set(conf, "bootstrap.servers", broker->servers, err) < 0 || set(conf, "client.id", client, err) < 0)
        return -1;
    if (broker->ca && (set(conf, "security.protocol", "ssl", err) < 0 ||
                       set_file(conf, "ssl.ca.location", broker->ca, err) < 0 ||
                       set_file(conf, "ssl.certificate.location", broker->cert, err) < 0 ||
                       set_file(conf, "ssl.key.location", broker->cert, err) < 0 ||
                       /* 2.0.2 (Debian 12) asks for no name unless told to */
                       set(conf, "ssl.endpoint.identification.algorithm", "https", err) < 0))
        return -1;
    for (; (*settings)[0]; settings++)
        if (set(conf, (*settings)[0], (*settings)[1], err) < 0)
            return -1;
    rd_kafka_conf_set_log_cb(conf, no_log);
    tunnel_set(conf);
    return 0;
}

rd_kafka_conf_t *broker_conf(const struct broker *broker, const char *client, const char *const settings[][2],
                             struct err *err) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (fill(conf, broker, client, settings, err) == 0)
        return conf;
    rd_kafka_conf_destroy(conf);
    return NULL;
}
