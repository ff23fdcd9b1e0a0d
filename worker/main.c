/* fairlead-worker: what a machine of the provider does. Roles by configuration; it holds nothing that cannot
 * be lost but its keys, its ratchet and the secrets of its apps. */
#include "base/conf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/str.h"
#include "host/host.h"
#include "io/http.h"
#include "worker/worker.h"

#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct conf_row conf[] = {
    CONF_TEXT("state", "/var/lib/fairlead-node",
              "folder of this node's identity, ratchet and sealed secrets"),
    CONF_LIST("roles", "builder,host,edge,dns,prober", "what this node does", role_words + 1),
    CONF_TEXT("engine", "/var/run/docker.sock", "socket of the Docker Engine"),
    CONF_TEXT("registry", "127.0.0.1:5000", "registry that images are pushed to and pulled from"),
    CONF_TEXT(
        "engine-certs", "/etc/docker/certs.d",
        "folder in which the Engine looks for certificates by registry: this node's is put there, for a "
        "registry that is not on this machine"),
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

/* How the orders of each kind are carried out. */
static const struct orders_manner readers[] = {
    {.step = STEP_RESOLVE,
     .threads = 8,
     .in_turn = true}, /* a git host that hangs holds up its own sources; those of its partition for 20 s */
    {.step = STEP_BUILD, .threads = 2, .in_turn = true},
    {.step = STEP_NAME, .threads = 1, .in_turn = true},
    {.step = STEP_VERIFY, .threads = 4, .in_turn = true, .side_by_side = true},
    {.step = STEP_NOOP, .threads = 1}};
#define READERS (sizeof readers / sizeof *readers)

/* What a worker adds to a node: readers of orders. */
struct readers {
    struct worker worker;
    struct orders *orders[READERS];
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

static int start_orders(void *arg, struct err *err) {
    struct readers *all = arg;
    builds_clear(&all->worker);
    for (size_t i = 0; i < READERS; i++) {
        unsigned role = order_find(readers[i].step)->role;
        if (role != ROLE_ANY && !(all->worker.host->conf.roles & role))
            continue;
        all->orders[i] = orders_start(&all->worker, &readers[i], err);
        if (!all->orders[i])
            return -1;
    }
    return 0;
}

static void stop_orders(void *arg) {
    struct readers *all = arg;
    for (size_t i = 0; i < READERS; i++)
        orders_stop(all->orders[i]);
}

/* What `fairlead-coordinator emits` must list too. */
static void print_performs(void) {
    for (size_t i = 0; i < READERS; i++)
        printf("order %s\n", order_find(readers[i].step)->topic);
    for (size_t i = 0; step_document_kind(i); i++)
        printf("document %s\n", step_document_kind(i));
}

static struct host *make_host(void) {
    static struct host host;
    static struct readers all;
    read_conf(&all.worker);
    all.worker.host = &host;
    host.conf = (struct host_conf){
        .program = "worker",
        .roles = role_bits(conf_get(conf, "roles")),
        .engine_certs = conf_get(conf, "engine-certs"),
        .metrics = conf_get(conf, "metrics"),
        .start = start_orders,
        .stop = stop_orders,
        .arg = &all,
        .machine = {.state = all.worker.conf.state,
                    .engine_socket = all.worker.conf.engine_socket,
                    .registry = all.worker.conf.registry,
                    .secrets_dir = absolute(conf_get(conf, "secrets")),
                    .repository = conf_get(conf, "repository"),
                    .edge_dir = conf_get(conf, "edge-dir"),
                    .nginx_conf = conf_get(conf, "nginx-conf"),
                    .nginx_pid = conf_get(conf, "nginx-pid"),
                    .nginx_unit = conf_get(conf, "nginx-unit"),
                    .http_port = (int)conf_int(conf, "http-port"),
                    .dns_server = all.worker.conf.dns_server,
                    .zone = all.worker.conf.zone,
                    .edge_user = conf_get(conf, "edge-user"),
                    .subnets = conf_get(conf, "subnets"),
                    .guard = str_eq(conf_get(conf, "guard"), "nft")},
    };
    return &host;
}

static void print_help(void) {
    printf("usage: fairlead-worker [OPTION...] [COMMAND]\n\n"
           "  run            what this node's roles ask for (the default)\n"
           "  enrol TOKEN    join, with the token of \"fairlead node invite\"\n"
           "  step look DOCUMENT   what its step sees; nothing is changed. DOCUMENT: a name in "
           "STATE/documents,\n"
           "                 without \".accepted\"\n"
           "  step run DOCUMENT    look, act and check, by hand; not beside a worker that runs\n"
           "  config         the options, as Markdown\n"
           "  sample         a file for --config in which all options are comments\n\n"
           "Options; each also as environment FAIRLEAD_NAME, or in a file given by --config:\n");
    conf_print_help(conf, stdout);
}

static int run(int argc, char **argv) {
    struct err err = {0};
    int args;
    bool help;
    if (argc == 2 && str_eq(argv[1], "performs")) {
        print_performs();
        return 0;
    }
    if (argc == 2 && str_eq(argv[1], "sample")) {
        conf_print_sample(conf, "fairlead-worker", stdout);
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
        return host_enrol(make_host(), argv[2]);
    if (args == 3 && str_eq(argv[1], "step") && (str_eq(argv[2], "look") || str_eq(argv[2], "run")))
        return host_try(make_host(), argv[3], str_eq(argv[2], "run"));
    if (args == 0 || (args == 1 && str_eq(argv[1], "run")))
        return host_run(make_host());
    (void)fprintf(stderr, "fairlead-worker: that is not a command; --help lists them\n");
    return 2;
}

int main(int argc, char **argv) {
    return file_end_output("fairlead-worker", run(argc, argv));
}
