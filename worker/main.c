/* fairlead-worker: what a machine of the provider does. Roles by configuration; it holds nothing that cannot
 * be lost but its keys, its ratchet and the secrets of its apps. */
#include "base/str.h"
#include "host/program.h"
#include "worker/worker.h"

#include <stdio.h>

static struct conf_row conf[] = {
    PROGRAM_OPTIONS("/var/lib/fairlead-node", "/run/fairlead/secrets", "127.0.0.1:5000"),
    CONF_LIST("roles", "builder,host,edge,dns,prober", "what this node does", role_words + 1),
    CONF_TEXT(
        "engine-certs", "/etc/docker/certs.d",
        "folder in which the Engine looks for certificates by registry: this node's is put there, for what "
        "its Engine asks of one that is not on this machine (builds)"),
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
    CONF_TEXT("repository", "", "git remote that rendered Compose files are pushed to; empty: kept here"),
    CONF_TEXT("dns-key-file", "", "dns: TSIG key, ALGORITHM:NAME:SECRET, mode 0600"),
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

static void read_conf(struct worker *worker) {
    const struct step_machine *machine = &worker->host->conf.machine;
    worker->conf = (struct worker_conf){
        .state = machine->state,
        .engine_socket = machine->engine_socket,
        .registry = machine->registry,
        .source_prefix = program_path(conf_get(conf, "sources")),
        .dns_server = machine->dns_server,
        .dns_key_file = conf_get(conf, "dns-key-file"),
        .zone = machine->zone,
        .proxy = conf_get(conf, "proxy"),
        .no_proxy = conf_get(conf, "no-proxy"),
        .build_ca = program_path(conf_get(conf, "build-ca")),
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
static int print_performs(struct host *host, char **args) {
    (void)host, (void)args;
    for (size_t i = 0; i < READERS; i++)
        printf("order %s\n", order_find(readers[i].step)->topic);
    for (size_t i = 0; step_document_kind(i); i++)
        printf("document %s\n", step_document_kind(i));
    return 0;
}

static int fill(struct host *host, struct err *err) {
    static struct readers all;
    (void)err;
    all.worker.host = host;
    read_conf(&all.worker);
    host->conf.roles = role_bits(conf_get(conf, "roles"));
    host->conf.engine_certs = conf_get(conf, "engine-certs");
    host->conf.machine.repository = conf_get(conf, "repository");
    host->conf.start = start_orders;
    host->conf.stop = stop_orders;
    host->conf.arg = &all;
    return 0;
}

static const struct program_command commands[] = {
    {{"performs"}, 0, print_performs, "", "kinds of orders and documents that it carries out"},
    {.run = NULL},
};

int main(int argc, char **argv) {
    static const struct program program = {.name = "worker",
                                           .conf = conf,
                                           .runs = "what this node's roles ask for (the default)",
                                           .commands = commands,
                                           .fill = fill};
    return program_main(&program, argc, argv);
}
