/* fairlead-coordinator: api, engine, ingest, clock and relay in one process, each also alone. */
#include "base/clock.h"
#include "base/conf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/log_conf.h"
#include "base/metrics.h"
#include "base/str.h"
#include "coordinator/api/api.h"
#include "coordinator/authority.h"
#include "coordinator/clock.h"
#include "coordinator/commands.h"
#include "coordinator/dump.h"
#include "coordinator/ingest.h"
#include "coordinator/key_sets.h"
#include "coordinator/relay.h"
#include "coordinator/topic_step.h"
#include "io/cert.h"
#include "io/service.h"
#include "io/token.h"
#include "model/names.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct conf_row conf[] = {
    CONF_TEXT("database", NULL, "PostgreSQL of the coordinator (role fairlead_app)"),
    CONF_TEXT("database-customer", "",
              "PostgreSQL for what customers look at (role fairlead_customer); empty: as --database, with "
              "that role"),
    CONF_TEXT("database-owner", "", "PostgreSQL as the owner: only `migrate` uses it"),
    CONF_TEXT("kafka", "127.0.0.1:9092", "brokers"),
    CONF_TEXT(
        "kafka-ca", "",
        "file of the authority (PEM) that signed the brokers; empty: Kafka in clear, on this machine only"),
    CONF_TEXT("kafka-cert", "", "file with this coordinator's key and chain (PEM), by which Kafka knows it"),
    CONF_TEXT(
        "kafka-admin-cert", "",
        "the same of who makes topics and rights, which the other parts need not be able to read; empty: "
        "--kafka-cert"),
    CONF_TEXT("kafka-nodes", "", "brokers as nodes reach them; empty: --kafka"),
    CONF_TEXT(
        "authority", "",
        "folder of the certificate authority (see `authority`); empty: nodes get no certificates, and can "
        "only be on this machine"),
    CONF_NUMBER("certificate-life", "86400",
                "seconds for which a node's certificate is good; it is renewed at two thirds of them", 30,
                31536000),
    CONF_TEXT("redis", "", "unix socket of Redis, or 127.x.x.x:PORT; empty: none"),
    CONF_TEXT("listen", "127.0.0.1", "address of the HTTP API (TLS ends in a proxy in front of it)"),
    CONF_NUMBER("port", "8080", "port of the HTTP API; 0: any that is free", 0, 65535),
    CONF_TEXT("url", "", "address of the API as people and programs reach it; empty: http://LISTEN:PORT"),
    CONF_TEXT("node-url", "", "address of the API as nodes reach it, such as that of the gate; empty: --url"),
    CONF_TEXT("state", "/var/lib/fairlead", "folder of the coordinator's keys"),
    CONF_TEXT("token-file", "/etc/fairlead/token",
              "file with the first operator's token, mode 0600; empty: none, once there are other tokens"),
    CONF_TEXT("base", "", "base image, repository@sha256:..., that builds start from"),
    CONF_NUMBER("dns-ttl", "60", "seconds; a delete waits this long after the name is off", 1, 86400),
    CONF_NUMBER("name-hold", "660", "seconds for which a deleted name stays with its tenant", 0, 31536000),
    CONF_NUMBER(
        "heartbeat", "300",
        "seconds between two heartbeats of a node; one that misses three deletes nothing until it hears "
        "another",
        1, 3600),
    CONF_NUMBER("keep-days", "30",
                "days for which answers to requests, and steps of deleted instances, are kept", 0, 36500),
    CONF_NUMBER("connections", "1000", "HTTP connections at most", 1, 100000),
    CONF_NUMBER("connections-per-address", "200",
                "HTTP connections of one address at most, but for this machine's own", 1, 100000),
    CONF_NUMBER("request-timeout", "30", "seconds in which a whole request must have come", 1, 3600),
    CONF_LIVE_CHOICE("log", "info", "lowest level that is written", "debug info warn error"),
    CONF_LIVE_LIST("debug", "", "parts that tell each of their turns; all do with the level debug",
                   log_parts + 1),
    CONF_LIVE_CHOICE("log-format", "text", "of its lines; json: one object per line", "text json"),
    {0},
};

/* What runs; parts that a subcommand leaves out stay NULL. */
struct coordinator {
    struct signing *signing;
    atomic_uint owned_lanes;
    struct engine *api_engine, *engine;
    struct relay *relay;
    struct clock *clock;
    struct ingest *ingest;
    struct topic_step *topics;
    struct follow *follow;
    struct access *access;
    struct authority *authority;
    struct desk *desk, *walled, *checks, *signs, *outside;
    struct limits *limits;
    struct httpd *httpd;
    struct api api;
    char token_hint[TOKEN_HINT_SIZE], url[256], heads_file[512];
};

static void wake_relay(void *arg, unsigned lanes) {
    struct coordinator *c = arg;
    if (c->relay)
        relay_wake(c->relay, lanes);
}

static void wake_clock(void *arg) {
    struct coordinator *c = arg;
    if (c->clock)
        clock_wake(c->clock);
}

/* The broker has not what it should have: looked at now. */
static void miss_topics(void *arg) {
    const struct coordinator *c = arg;
    if (c->topics)
        topic_step_look(c->topics);
}

static void wake_topics(void *arg) {
    struct coordinator *c = arg;
    if (c->topics)
        topic_step_wake(c->topics);
}

static void changed(void *arg) {
    struct coordinator *c = arg;
    if (c->follow)
        follow_wake(c->follow);
}

/* Which key signs is a row: asked before anybody is given one's fingerprint. Who cannot ask yet, or has not
 * that key yet, does it with its first batch. */
static int open_keys(struct coordinator *c, struct err *err) {
    struct err unasked = {0};
    if (sign_init(err) < 0 || signing_open(conf_get(conf, "state"), &c->signing, err) < 0)
        return -1;
    struct pg *pg = pg_open(conf_get(conf, "database"), "statement_timeout=10s", &unasked);
    if (!pg || key_sets_follow(pg, c->signing, NULL, &unasked) < 0)
        log_warn("which key signs is not known yet", LOG_S("error", unasked.text));
    pg_close(pg);
    return 0;
}

/* The file's token is the first operator's. Once there are others it may be revoked, and the file go. */
static int load_token(struct coordinator *c, struct hash *ret, struct err *err) {
    cleanup_free char *token = NULL;
    const char *file = conf_get(conf, "token-file");
    if (!*file)
        return 0;
    if (file_read_secret(file, 256, &token, NULL, err) < 0)
        return -1;
    token[strcspn(token, "\r\n")] = '\0';
    if (strlen(token) < 20)
        return err_set(err, ERR_PARK, "the token in \"%s\" has fewer than 20 characters", file);
    (void)snprintf(c->token_hint, sizeof c->token_hint, "%.4s", token);
    *ret = hash_of(token, strlen(token));
    return 0;
}

static void access_changed(void *arg) {
    const struct coordinator *c = arg;
    follow_recheck(c->follow);
}

/* Who may ask, before anybody can. */
static int start_access(struct coordinator *c, struct err *err) {
    struct access_conf access = {.database_url = conf_get(conf, "database"), .file_hint = c->token_hint};
    if (load_token(c, &access.file_token, err) < 0)
        return -1;
    c->access = access_start(&access, err);
    return c->access ? 0 : -1;
}

static int start_desks(struct coordinator *c, struct err *err) {
    const char *database = conf_get(conf, "database"), *walled = conf_get(conf, "database-customer");
    c->desk = desk_start(database, NULL, 2, err);
    c->walled = desk_start(*walled ? walled : database, *walled ? NULL : "fairlead_customer", 2, err);
    c->checks = desk_start(database, NULL, 1, err);
    c->signs = desk_start(database, NULL, 1, err);
    c->outside = desk_start(database, NULL, 4, err);
    c->limits = limits_open(conf_get(conf, "redis"));
    return c->desk && c->walled && c->checks && c->signs && c->outside ? 0 : -1;
}

static struct engine *start_engine(struct coordinator *c, const char *name, bool skip_locked,
                                   struct err *err) {
    struct engine_conf engine = {
        .name = name,
        .database_url = conf_get(conf, "database"),
        .settings = {.base = conf_get(conf, "base"),
                     .dns_ttl_s = conf_int(conf, "dns-ttl"),
                     .name_hold_s = conf_int(conf, "name-hold")},
        .signing = c->signing,
        .owned_lanes = &c->owned_lanes,
        .skip_locked = skip_locked,
        .wake_relay = wake_relay,
        .wake_clock = wake_clock,
        .changed = changed,
        .arg = c,
    };
    return engine_start(&engine, err);
}

static struct broker broker_of_conf(const char *cert) {
    const char *ca = conf_get(conf, "kafka-ca"), *mine = conf_get(conf, cert);
    return (struct broker){.servers = conf_get(conf, "kafka"),
                           .ca = *ca ? ca : NULL,
                           .cert = *ca ? (*mine ? mine : conf_get(conf, "kafka-cert")) : NULL};
}

static int start_api(struct coordinator *c, struct err *err) {
    const char *url = conf_get(conf, "url");
    if (authority_open(conf_get(conf, "authority"), conf_int(conf, "certificate-life") * CLOCK_S,
                       &c->authority, err) < 0)
        return -1;
    c->api_engine = start_engine(c, "api", false, err);
    if (!c->api_engine || start_access(c, err) < 0 || start_desks(c, err) < 0 ||
        !(c->follow = follow_start(conf_get(conf, "database"), c->access, err)))
        return -1;
    access_tell(c->access, access_changed, c);
    struct httpd_conf httpd = {
        .address = conf_get(conf, "listen"),
        .port = (int)conf_int(conf, "port"),
        .body_max = 262144,
        .connections_max = (unsigned)conf_int(conf, "connections"),
        .connections_per_address = (unsigned)conf_int(conf, "connections-per-address"),
        .request_s = (int)conf_int(conf, "request-timeout"),
        .admit = api_admit,
        .handler = api_handle,
        .problem = api_early_refusal,
        .arg = &c->api,
    };
    (void)snprintf(c->url, sizeof c->url, "http://%s:%lld", conf_get(conf, "listen"),
                   (long long)conf_int(conf, "port"));
    c->api = (struct api){
        .access = c->access,
        .broker = broker_of_conf("kafka-cert"),
        .node_brokers =
            *conf_get(conf, "kafka-nodes") ? conf_get(conf, "kafka-nodes") : conf_get(conf, "kafka"),
        .node_url = *conf_get(conf, "node-url") ? conf_get(conf, "node-url")
                    : *url                      ? url
                                                : c->url,
        .authority = c->authority,
        .redis = conf_get(conf, "redis"),
        .base = conf_get(conf, "base"),
        .public_address = *url ? url : c->url,
        .signing = c->signing,
        .engine = c->api_engine,
        .other_engine = c->engine,
        .desk = c->desk,
        .walled = c->walled,
        .signs = c->signs,
        .limits = c->limits,
        .outside = c->outside,
        .heads_file = c->heads_file,
        .checks = c->checks,
        .follow = c->follow,
        .wake_topics = wake_topics,
        .wake_clock = wake_clock,
        .presence = presence_open(conf_get(conf, "redis")),
        .arg = c,
    };
    c->httpd = httpd_start(&httpd, err);
    return c->httpd ? 0 : -1;
}

static int start_parts(struct coordinator *c, const char *what, struct err *err) {
    bool all = str_eq(what, "run");
    const char *database = conf_get(conf, "database");
    struct broker broker = broker_of_conf("kafka-cert"), admin = broker_of_conf("kafka-admin-cert");
    struct relay_conf relay = {.database_url = database,
                               .broker = broker,
                               .owned = &c->owned_lanes,
                               .miss_topics = miss_topics,
                               .arg = c};
    if (!broker.ca && !name_is_loopback(broker.servers))
        return err_set(err, ERR_PARK, "kafka \"%s\" is not on this machine: without --kafka-ca it is refused",
                       broker.servers);
    if (open_keys(c, err) < 0)
        return -1;
    (void)snprintf(c->heads_file, sizeof c->heads_file, "%s/audit.heads", conf_get(conf, "state"));
    if ((all || str_eq(what, "relay")) && !(c->relay = relay_start(&relay, err)))
        return -1;
    if ((all || str_eq(what, "clock") || str_eq(what, "ingest")) &&
        !(c->engine = start_engine(c, "ingest", true, err)))
        return -1;
    struct clock_conf clock = {.database_url = database,
                               .broker = broker,
                               .redis = conf_get(conf, "redis"),
                               .engine = c->engine,
                               .signing = c->signing,
                               .heads_file = c->heads_file,
                               .heartbeat_s = conf_int(conf, "heartbeat"),
                               .keep_days = conf_int(conf, "keep-days")};
    if ((all || str_eq(what, "clock")) && !(c->clock = clock_start(&clock, err)))
        return -1;
    if ((all || str_eq(what, "clock")) &&
        !(c->topics = topic_step_start(database, &admin, wake_clock, c, err)))
        return -1;
    struct ingest_conf ingest = {.database_url = database,
                                 .broker = broker,
                                 .redis = conf_get(conf, "redis"),
                                 .engine = c->engine,
                                 .signing = c->signing,
                                 .wake_relay = wake_relay,
                                 .wake_clock = wake_clock,
                                 .arg = c};
    if ((all || str_eq(what, "ingest")) && !(c->ingest = ingest_start(&ingest, err)))
        return -1;
    return all || str_eq(what, "api") ? start_api(c, err) : 0;
}

/* Sources first, so that nothing new begins; then what carries it. Who wakes another ends before it: an
 * engine wakes before it answers, so once all that asked it have ended it wakes nobody. */
static void stop_parts(struct coordinator *c) {
    httpd_stop(c->httpd);
    desk_stop(c->desk);
    desk_stop(c->walled);
    desk_stop(c->checks);
    desk_stop(c->signs);
    desk_stop(c->outside);
    limits_close(c->limits);
    engine_stop(c->api_engine);
    ingest_stop(c->ingest);
    topic_step_stop(c->topics);
    clock_stop(c->clock);
    engine_stop(c->engine);
    access_stop(c->access); /* it tells followers */
    follow_stop(c->follow);
    access_free(c->access);
    relay_stop(c->relay);
    presence_close(c->api.presence);
    authority_close(c->authority);
    signing_close(c->signing);
}

static int serve(const char *what) {
    static struct coordinator coordinator;
    struct log_conf again = {.program = "coordinator", .conf = conf};
    struct err err = {0};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &signals,
                          NULL); /* every thread inherits it: only service_wait() below sees them */
    sigdelset(&signals, SIGHUP);
    (void)signal(SIGPIPE, SIG_IGN);
    if (start_parts(&coordinator, what, &err) < 0) {
        log_error("cannot start", LOG_S("error", err.text));
        return 1;
    }
    log_info("started", LOG_S("part", what),
             LOG_I("port", coordinator.httpd ? httpd_port(coordinator.httpd) : 0));
    service_ready();
    log_info("stopping", LOG_S("signal", strsignal(service_wait(&signals, log_conf_reload, &again))));
    stop_parts(&coordinator);
    return 0;
}

static void print_help(void) {
    printf(
        "usage: fairlead-coordinator [OPTION...] [COMMAND]\n\n"
        "  run        everything in one process (the default)\n"
        "  api | ingest | clock | relay\n"
        "             one part alone; any number of copies of each\n"
        "  migrate    bring the database to this version (needs --database-owner)\n"
        "  republish  publish all documents, events and open orders again (needs a coordinator that runs)\n"
        "  authority  make the certificate authority in --authority, or what is missing of it\n"
        "  issue NAME [HOST...]\n"
        "             a certificate for a program, as --authority/NAME.pem; with hosts for what answers\n"
        "             there\n"
        "  rotate     a new key that signs documents; nodes learn it by themselves (needs root.key in\n"
        "             --authority); rotate stolen: those before it count no more, at once\n"
        "  sweep      take away what is older than --keep-days (the clock does it every hour)\n"
        "  tables     print the state tables; routes, matrix, catalogue, config, metrics, statements,\n"
        "             sample: the other tables, as Markdown\n\n"
        "Options; each also as environment FAIRLEAD_NAME, or in a file given by --config:\n");
    conf_print_help(conf, stdout);
}

static int run_command(const char *command, char **args) {
    static const char *const parts[] = {"run", "api", "ingest", "clock", "relay"};
    int rc;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!*args && str_eq(parts[i], command))
            return serve(command);
    if (command_run(conf, command, args, &rc))
        return rc;
    (void)fprintf(stderr, "fairlead-coordinator: \"%s\" is not a command; --help lists them\n", command);
    return 2;
}

/* An authority is made where there is no database yet. */
static void need_no_database(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (str_eq(argv[i], "authority") || str_eq(argv[i], "issue"))
            conf[0].otherwise = "";
}

static int run(int argc, char **argv) {
    struct err err = {0};
    int args;
    bool help;
    /* What prints a table needs no settings. */
    if (argc == 2 && dump_print(argv[1], conf))
        return 0;
    need_no_database(argc, argv);
    if (conf_read(conf, argc, argv, &args, &help, &err) < 0) {
        (void)fprintf(stderr, "fairlead-coordinator: %s\n", err.text);
        return 2;
    }
    if (help) {
        print_help();
        return 0;
    }
    log_by_conf("coordinator", conf);
    metric_set(METRIC_BUILD_INFO, FAIRLEAD_VERSION, 1);
    (void)umask(077);
    cert_init();
    argv[args + 1] = NULL;
    int rc = args ? run_command(argv[1], argv + 2) : run_command("run", argv + 1);
    if (rc == 0) /* after a start that failed half-way threads may still read it */
        conf_release(conf);
    return rc;
}

int main(int argc, char **argv) {
    return file_end_output("fairlead-coordinator", run(argc, argv));
}
