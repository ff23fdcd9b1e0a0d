/* fairlead-worker: what a machine of the provider does. Roles by configuration; it holds nothing that cannot
 * be lost but its keys, its ratchet and the secrets of its apps. */
#include "base/clock.h"
#include "base/conf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "io/engine.h"
#include "io/http.h"
#include "io/httpd.h"
#include "model/names.h"
#include "node/inbox.h"
#include "node/keeper.h"
#include "node/secrets.h"
#include "step/disk_meter.h"
#include "step/step.h"
#include "worker/metrics.h"
#include "worker/worker.h"

#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static struct conf_row conf[] = {
    CONF_TEXT("state", "/var/lib/fairlead-node",
              "folder of this node's identity, ratchet and sealed secrets"),
    CONF_LIST("roles", "builder,host,edge,dns,prober", "what this node does", role_words + 1),
    CONF_TEXT("engine", "/var/run/docker.sock", "socket of the Docker Engine"),
    CONF_TEXT("registry", "127.0.0.1:5000", "registry that images are pushed to and pulled from"),
    CONF_TEXT("sources", "", "builder: folder below which sources that are not https lie"),
    CONF_TEXT("proxy", "",
              "builder: HTTP proxy for sources and inside builds, such as http://proxy.lan:3128; builds can "
              "read it"),
    CONF_TEXT("no-proxy", "", "builder: hosts that are reached without it, with commas"),
    CONF_TEXT(
        "build-ca", "",
        "builder: file of certificate authorities (PEM) that builds trust besides, by way of their BASE; "
        "sources are fetched with what the machine trusts"),
    CONF_TEXT("build-args", "",
              "builder: NAME=VALUE, with commas: arguments of every build, such as mirrors of packages"),
    CONF_TEXT("secrets", "/run/fairlead/secrets", "tmpfs for the secrets of apps (mounted if it is none)"),
    CONF_TEXT("repository", "", "git remote that rendered Compose files are pushed to; empty: kept here"),
    CONF_TEXT("dns", "127.0.0.1:53", "authoritative DNS server"),
    CONF_TEXT("dns-key-file", "", "dns: TSIG key, ALGORITHM:NAME:SECRET, mode 0600"),
    CONF_TEXT("zone", "localhost", "zone of the names"),
    CONF_TEXT("edge-dir", "/etc/nginx/fairlead", "edge: folder whose conf.d/ nginx includes"),
    CONF_TEXT("nginx-conf", "/etc/nginx/nginx.conf", "edge: main configuration of nginx"),
    CONF_TEXT("nginx-pid", "/run/nginx.pid", "edge: pid file of nginx"),
    CONF_TEXT("nginx-unit", "",
              "edge: systemd unit to start when nginx is down; empty: nginx itself is started"),
    CONF_NUMBER("http-port", "80", "edge: port that it listens on", 1, 65535),
    CONF_TEXT("edge-user", "www-data", "host: whom nginx runs as, where the edge is on the same machine"),
    CONF_TEXT("subnets", "10.212.0.0/14",
              "host: range of which each app gets a network of 14 addresses; empty: the Engine's own pools, "
              "which are for some thirty apps"),
    CONF_CHOICE("guard", "nft", "host: what guards the ports of apps", "nft none"),
    CONF_TEXT("metrics", "",
              "127.x.x.x:PORT on which this worker answers Prometheus; empty: nothing listens"),
    CONF_CHOICE("log", "info", "lowest level that is written", "debug info warn error"),
    CONF_LIST("debug", "", "parts that tell each of their turns; all do with the level debug", log_parts + 1),
    CONF_CHOICE("log-format", "text", "of its lines; json: one object per line", "text json"),
    {0},
};

#define PRESENCE_US (10 * CLOCK_S)
#define LOCK_US (10 * CLOCK_S) /* for the one before, which may be ending */

/* How the orders of each kind are carried out. */
static const struct orders_manner readers[] = {
    {.step = STEP_RESOLVE,
     .threads = 8,
     .in_turn = true}, /* a git host that hangs holds up its own sources only */
    {.step = STEP_BUILD, .threads = 2, .in_turn = true},
    {.step = STEP_NAME, .threads = 1, .in_turn = true},
    {.step = STEP_VERIFY, .threads = 4, .in_turn = true, .side_by_side = true},
    {.step = STEP_NOOP, .threads = 1}};
#define READERS (sizeof readers / sizeof *readers)

/* What runs. */
struct parts {
    struct worker worker;
    struct step_machine machine;
    struct keeper *keeper;
    struct inbox *inbox;
    struct orders *orders[READERS];
    struct httpd *metrics;
    char node[UUID_HEX_SIZE];
    pthread_t events;
    bool events_run;
    struct loop *presence;
    atomic_int stop;
};

/* Children run in other folders: paths must mean the same there. */
static const char *absolute(const char *path) {
    static char kept[8][PATH_MAX];
    static int n;
    if (path[0] == '/' || n == 8)
        return path;
    char *cwd = getcwd(NULL, 0);
    (void)snprintf(kept[n], PATH_MAX, "%s/%s", cwd ? cwd : "", path);
    free(cwd);
    return kept[n++];
}

static void read_conf(struct worker *worker) {
    worker->conf = (struct worker_conf){
        .state = absolute(conf_get(conf, "state")),
        .engine_socket = conf_get(conf, "engine"),
        .registry = conf_get(conf, "registry"),
        .source_prefix = *conf_get(conf, "sources") ? absolute(conf_get(conf, "sources")) : "",
        .dns_server = conf_get(conf, "dns"),
        .dns_key_file = conf_get(conf, "dns-key-file"),
        .zone = conf_get(conf, "zone"),
        .proxy = conf_get(conf, "proxy"),
        .no_proxy = conf_get(conf, "no-proxy"),
        .build_ca = *conf_get(conf, "build-ca") ? absolute(conf_get(conf, "build-ca")) : "",
        .build_args = conf_get(conf, "build-args"),
    };
}

/* A document, by the step of its kind. */
static void apply(void *arg, const Fairlead__V1__Document *document, struct keeper_outcome *outcome) {
    struct parts *parts = arg;
    struct err err = {0};
    struct step_context ctx = step_context_of(&parts->machine, document, outcome->arena);
    const struct step *step = step_of_document(document->kind);
    if (!step) {
        outcome->result = 2;
        outcome->cls = "unknown_document";
        outcome->text = "This node does not know that kind of document: it must be updated.";
        return;
    }
    static const char *const results[] = {"ok", "retry", "park"};
    char labels[48];
    int64_t began = clock_mono_us();
    outcome->result = (int)step_run(step, &ctx, &err);
    outcome->cut = parts->stop && outcome->result != STEP_OK;
    (void)snprintf(labels, sizeof labels, "%s|%s", step->name, results[outcome->result]);
    metric_add(METRIC_APPLIED, labels, 1);
    metric_observe_us(METRIC_APPLY_SECONDS, step->name, clock_mono_us() - began);
    if (outcome->result != STEP_OK) {
        const char *log = str_text(&ctx.log);
        outcome->cls = ctx.cls ? ctx.cls : "failed";
        outcome->text = arena_strdup(outcome->arena, err.text);
        outcome->lines = arena_strdup(outcome->arena, strlen(log) > 7900 ? log + strlen(log) - 7900 : log);
    }
    outcome->facts = ctx.facts;
    outcome->drift = ctx.drift;
    outcome->news = ctx.news;
    for (size_t i = 0; i < ctx.delivered.n; i++) {
        const struct step_secret *s = vec_at(&ctx.delivered, struct step_secret, i);
        *vec_add(outcome->arena, &outcome->delivered, struct keeper_secret) =
            (struct keeper_secret){s->name, s->box, s->n};
    }
    for (size_t i = 0; i < ctx.recovery.n; i++) {
        const struct step_secret *s = vec_at(&ctx.recovery, struct step_secret, i);
        *vec_add(outcome->arena, &outcome->recovery, struct keeper_secret) =
            (struct keeper_secret){s->name, s->box, s->n};
    }
    str_release(&ctx.log);
}

static void hint(void *arg, const char *instance) {
    keeper_hint(((struct parts *)arg)->keeper, instance);
}

static void *follow_events(void *arg) {
    struct parts *parts = arg;
    while (!parts->stop) {
        engine_follow(parts->worker.conf.engine_socket, "fairlead.instance", &parts->stop, hint, parts);
        for (int i = 0; i < 10 && !parts->stop; i++)
            (void)usleep(100000);
    }
    return NULL;
}

static int64_t tell_presence(const struct loop *loop, void *arg) {
    const struct parts *parts = arg;
    struct statvfs fs;
    double load = 0;
    Fairlead__V1__Report report = FAIRLEAD__V1__REPORT__INIT;
    Fairlead__V1__Presence presence = FAIRLEAD__V1__PRESENCE__INIT;
    report.body_case = FAIRLEAD__V1__REPORT__BODY_PRESENCE;
    report.presence = &presence;
    (void)loop;
    (void)getloadavg(&load, 1);
    presence.load_milli = (uint32_t)(load * 1000);
    presence.memory_free_mb =
        (uint32_t)((uint64_t)sysconf(_SC_AVPHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 1048576);
    if (statvfs(parts->worker.conf.state, &fs) == 0)
        presence.disk_free_mb = (uint32_t)((uint64_t)fs.f_bavail * fs.f_frsize / 1048576);
    char version[] = FAIRLEAD_VERSION;
    presence.version = version;
    reporter_post(parts->worker.reporter, &report);
    return PRESENCE_US;
}

static bool has_role(unsigned wanted) {
    const char *roles = conf_get(conf, "roles"), *role = role_name(wanted);
    size_t n = strlen(role);
    for (const char *p = roles; (p = strstr(p, role)); p += n)
        if ((p == roles || p[-1] == ',') && (p[n] == ',' || !p[n]))
            return true;
    return false;
}

static int start_orders(struct parts *parts, struct err *err) {
    builds_clear(&parts->worker);
    for (size_t i = 0; i < READERS; i++) {
        unsigned role = order_find(readers[i].step)->role;
        if (role != ROLE_ANY && !has_role(role))
            continue;
        parts->orders[i] = orders_start(&parts->worker, &readers[i], err);
        if (!parts->orders[i])
            return -1;
    }
    return 0;
}

/* What `fairlead-coordinator emits` must list too. */
static void print_performs(void) {
    for (size_t i = 0; i < READERS; i++)
        printf("order %s\n", order_find(readers[i].step)->topic);
    for (size_t i = 0; step_document_kind(i); i++)
        printf("document %s\n", step_document_kind(i));
}

static int start_documents(struct parts *parts, struct err *err) {
    struct worker *worker = &parts->worker;
    const char *secrets = absolute(conf_get(conf, "secrets"));
    if (has_role(ROLE_HOST) && secrets_mount(secrets, err) < 0)
        return -1;
    parts->machine = (struct step_machine){
        .node = &worker->node,
        .state = worker->conf.state,
        .engine_socket = worker->conf.engine_socket,
        .registry = worker->conf.registry,
        .secrets_dir = secrets,
        .repository = conf_get(conf, "repository"),
        .edge_dir = conf_get(conf, "edge-dir"),
        .nginx_conf = conf_get(conf, "nginx-conf"),
        .nginx_pid = conf_get(conf, "nginx-pid"),
        .nginx_unit = conf_get(conf, "nginx-unit"),
        .http_port = (int)conf_int(conf, "http-port"),
        .dns_server = worker->conf.dns_server,
        .zone = worker->conf.zone,
        .edge_user = conf_get(conf, "edge-user"),
        .subnets = conf_get(conf, "subnets"),
        .guard = str_eq(conf_get(conf, "guard"), "nft"),
        .cancel = &parts->stop,
    };
    (void)uuid_hex(worker->node.id, parts->node);
    if (has_role(ROLE_HOST) &&
        !(parts->machine.disk = disk_meter_start(worker->conf.engine_socket, parts->node, err)))
        return -1;
    struct keeper_conf keeper = {.node = &worker->node,
                                 .state = worker->conf.state,
                                 .reporter = worker->reporter,
                                 .apply = apply,
                                 .arg = parts};
    parts->keeper = keeper_start(&keeper, err);
    if (parts->keeper && parts->machine.disk)
        disk_meter_follow(parts->machine.disk, hint, parts);
    parts->inbox = parts->keeper ? inbox_start(&worker->node, parts->keeper, worker->reporter, err) : NULL;
    if (!parts->inbox)
        return -1;
    parts->events_run =
        has_role(ROLE_HOST) && pthread_create(&parts->events, NULL, follow_events, parts) == 0;
    return 0;
}

/* Two would undo each other's builds, routes and locks. */
static int lock_state(const struct worker *worker, struct err *err) {
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/lock", worker->conf.state);
    if (file_lock(path, LOCK_US, err) == 0)
        return 0;
    return err->cls == ERR_PARK
               ? err_set(err, ERR_PARK, "another worker runs on the state folder \"%s\"", worker->conf.state)
               : -1;
}

static int start_parts(struct parts *parts, struct err *err) {
    read_conf(&parts->worker);
    if (node_load(parts->worker.conf.state, &parts->worker.node, err) < 0)
        return -1;
    if (lock_state(&parts->worker, err) < 0)
        return -1;
    if (!name_is_loopback(parts->worker.node.brokers))
        return err_set(err, ERR_PARK, "kafka \"%s\" is not on this machine: it is refused until it has TLS",
                       parts->worker.node.brokers);
    parts->worker.reporter = reporter_start(&parts->worker.node, parts->worker.conf.state, err);
    if (!parts->worker.reporter || start_documents(parts, err) < 0 || start_orders(parts, err) < 0)
        return -1;
    if (metrics_serve(conf_get(conf, "metrics"), parts->keeper, &parts->metrics, err) < 0)
        return -1;
    parts->presence = loop_start(tell_presence, parts, err);
    return parts->presence ? 0 : -1;
}

/* New work first; then what has begun is finished, and said. */
static void stop_parts(struct parts *parts) {
    parts->stop = 1;
    parts->worker.stopping = 1;
    reporter_hurry(parts->worker.reporter);
    httpd_stop(parts->metrics);
    inbox_stop(parts->inbox);
    for (size_t i = 0; i < READERS; i++)
        orders_stop(parts->orders[i]);
    if (parts->events_run)
        pthread_join(parts->events, NULL); /* it hints at the keeper */
    if (parts->machine.disk)
        disk_meter_follow(parts->machine.disk, NULL, NULL); /* it hints at the keeper */
    keeper_stop(parts->keeper);
    disk_meter_stop(parts->machine.disk);
    loop_stop(parts->presence);
    reporter_stop(parts->worker.reporter);
}

static int serve(void) {
    static struct parts parts;
    struct err err = {0};
    sigset_t signals;
    int got;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &signals,
                          NULL); /* every thread inherits it: only sigwait() below sees them */
    (void)signal(SIGPIPE, SIG_IGN);
    if (start_parts(&parts, &err) < 0) {
        log_error("cannot start", LOG_S("error", err.text));
        return 1;
    }
    log_info("started", LOG_S("node", parts.worker.node.name), LOG_S("roles", conf_get(conf, "roles")));
    (void)sigwait(&signals, &got);
    log_info("stopping", LOG_S("signal", strsignal(got)));
    stop_parts(&parts);
    return 0;
}

static int enrol(const char *token) {
    struct err err = {0};
    struct node_identity node;
    if (node_enrol(conf_get(conf, "state"), token, &node, &err) < 0) {
        (void)fprintf(stderr, "fairlead-worker: %s\n", err.text);
        return 1;
    }
    printf("enrolled as \"%s\"\n", node.name);
    return 0;
}

static void print_help(void) {
    printf("usage: fairlead-worker [OPTION...] [COMMAND]\n\n"
           "  run            what this node's roles ask for (the default)\n"
           "  enrol TOKEN    join, with the token of \"fairlead node invite\"\n"
           "  config         the options, as Markdown\n\n"
           "Options; each also as environment FAIRLEAD_NAME, or in a file given by --config:\n");
    conf_print_help(conf, stdout);
}

int main(int argc, char **argv) {
    struct err err = {0};
    int args;
    bool help;
    if (argc == 2 && str_eq(argv[1], "performs")) {
        print_performs();
        return 0;
    }
    if (argc == 2 && str_eq(argv[1], "config")) {
        conf_print_markdown(conf, stdout);
        return 0;
    }
    if (conf_read(conf, argc, argv, &args, &help, &err) < 0) {
        (void)fprintf(stderr, "fairlead-worker: %s\n", err.text);
        return 2;
    }
    if (help) {
        print_help();
        return 0;
    }
    log_init("worker", conf_get(conf, "log"), conf_get(conf, "log-format"));
    log_init_debug(conf_get(conf, "debug"));
    metric_set(METRIC_BUILD_INFO, FAIRLEAD_VERSION, 1);
    (void)umask(022);
    /* Many threads that mostly wait: an arena for each would be a third of the memory that is ours. */
    (void)mallopt(M_ARENA_MAX, 2);
    http_init();
    if (sign_init(&err) < 0)
        return 1;
    if (args == 2 && str_eq(argv[1], "enrol"))
        return enrol(argv[2]);
    if (args == 0 || (args == 1 && str_eq(argv[1], "run")))
        return serve();
    (void)fprintf(stderr, "fairlead-worker: that is not a command; --help lists them\n");
    return 2;
}
