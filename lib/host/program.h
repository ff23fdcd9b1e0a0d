/* The command line that every node's program has: its options, and the commands run, enrol, step, config and
 * sample. Worker and agent add their own. */
#ifndef FAIRLEAD_HOST_PROGRAM_H
#define FAIRLEAD_HOST_PROGRAM_H

#include "base/conf.h"
#include "base/log.h"
#include "host/host.h"

/* Options of what the machine is made of, in the table of each program. */
#define PROGRAM_OPTIONS(state, secrets, registry)                                                            \
    CONF_TEXT("state", state, "folder of this node's identity, ratchet and sealed secrets"),                 \
        CONF_TEXT("engine", "/var/run/docker.sock", "socket of the Docker Engine"),                          \
        CONF_TEXT("registry", registry, "registry that images come from"),                                   \
        CONF_TEXT("secrets", secrets, "tmpfs for the secrets of apps (mounted if it is none)"),              \
        CONF_TEXT("dns", "127.0.0.1:53", "authoritative DNS server; empty: a prober asks for no name"),      \
        CONF_TEXT("zone", "localhost", "zone of the names"),                                                 \
        CONF_TEXT("edge-dir", "/etc/nginx/fairlead", "edge: folder whose conf.d/ nginx includes"),           \
        CONF_TEXT("nginx-conf", "/etc/nginx/nginx.conf", "edge: main configuration of nginx"),               \
        CONF_TEXT("nginx-pid", "/run/nginx.pid", "edge: pid file of nginx"),                                 \
        CONF_TEXT("nginx-unit", "",                                                                          \
                  "edge: systemd unit to start when nginx is down; empty: nginx itself is started"),         \
        CONF_NUMBER("http-port", "80", "edge: port that it listens on", 1, 65535),                           \
        CONF_TEXT("edge-user", "www-data",                                                                   \
                  "host: whom nginx runs as, where the edge is on the same machine"),                        \
        CONF_TEXT("subnets", "10.212.0.0/14",                                                                \
                  "host: range of which each app gets a network of 14 addresses; empty: the Engine's own "   \
                  "pools, which are for some thirty apps"),                                                  \
        CONF_TEXT("closed-networks", "169.254.0.0/16",                                                       \
                  "host: networks and addresses that no app reaches, with commas between, such as those of " \
                  "your machines; its edge it reaches all the same"),                                        \
        CONF_CHOICE("guard", "nft", "host: what guards the ports of apps, and this machine from apps",       \
                    "nft none"),                                                                             \
        CONF_TEXT("metrics", "",                                                                             \
                  "127.x.x.x:PORT on which this program answers Prometheus; empty: nothing listens"),        \
        CONF_LIVE_CHOICE("log", "info", "lowest level that is written", "debug info warn error"),            \
        CONF_LIVE_LIST("debug", "", "parts that tell each of their turns; all do with the level debug",      \
                       log_parts + 1),                                                                       \
        CONF_LIVE_CHOICE("log-format", "text", "of its lines; json: one object per line", "text json")

struct program_command {
    const char *words[3]; /* such as {"step", "look"}, NULL-ended */
    int args;             /* behind them */
    int (*run)(struct host *host, char **args);
    const char *args_name, *help; /* for --help: "DOCUMENT", "what its step sees" */
};

struct program {
    const char *name; /* as it calls itself: "worker" */
    struct conf_row *conf;
    const char *runs;                       /* what "run" does, in words */
    const struct program_command *commands; /* its own; the last has no `run` */
    /* The host by its options, without those above. Class park. */
    int (*fill)(struct host *host, struct err *err);
};

/* main() of a node's program. */
int program_main(const struct program *program, int argc, char **argv);

/* The same path in another folder: children run elsewhere. Kept for good; for a handful of options. */
const char *program_path(const char *path);

#endif
