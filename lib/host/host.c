#include "host/host.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/log_conf.h"
#include "base/loop.h"
#include "host/metrics.h"
#include "io/engine.h"
#include "io/httpd.h"
#include "io/service.h"
#include "model/names.h"
#include "node/inbox.h"
#include "node/secrets.h"
#include "step/disk_meter.h"
#include "step/image.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define LOCK_US (10 * CLOCK_S) /* for the one before, which may be ending */

int host_load(struct host *host, struct err *err) {
    if (node_load(host->conf.machine.state, &host->node, err) < 0)
        return -1;
    host->machine = host->conf.machine;
    host->machine.node = &host->node;
    host->machine.cancel = &host->stopping;
    if (host->node.is_private != host->conf.is_private)
        return err_set(err, ERR_PARK,
                       host->node.is_private
                           ? "this machine has enrolled in a private plane: fairlead-agent is for it"
                           : "this machine has not enrolled in a private plane: fairlead-worker is for it");
    (void)uuid_hex(host->node.id, host->id);
    return 0;
}

/* Two would undo each other's builds, routes and locks. */
int host_lock(const struct host *host, struct err *err) {
    char path[PATH_MAX];
    const char *state = host->conf.machine.state;
    (void)snprintf(path, sizeof path, "%s/lock", state);
    if (file_lock(path, LOCK_US, err) == 0)
        return 0;
    return err->cls == ERR_PARK ? err_set(err, ERR_PARK, "another %s runs on the state folder \"%s\"",
                                          host->conf.program, state)
                                : -1;
}

static void hint(void *arg, const char *instance) {
    keeper_hint(((struct host *)arg)->keeper, instance);
}

/* Until the stream ends, because the Engine does; then again. */
static int64_t follow_events(const struct loop *loop, void *arg) {
    struct host *host = arg;
    (void)loop;
    engine_follow(host->machine.engine_socket, "fairlead.instance", &host->stopping, hint, host);
    return CLOCK_S;
}

/* Whoever brought something may carry away at once what it came to. */
static void tell_presence_soon(void *arg) {
    loop_wake(((struct host *)arg)->presence);
}

static int start_keeping(struct host *host, struct err *err) {
    struct keeper_conf keeper = {.node = &host->node,
                                 .state = host->machine.state,
                                 .reporter = host->reporter,
                                 .apply = host_apply,
                                 .arg = host};
    bool runs_apps = host->conf.roles & ROLE_HOST;
    if (runs_apps && (secrets_mount(host->machine.secrets_dir, err) < 0 ||
                      !(host->machine.disk = disk_meter_start(host->machine.engine_socket, host->id, err))))
        return -1;
    if (runs_apps)
        image_sweep(host->machine.state);
    host->heartbeat = heartbeat_open(&host->node, host->machine.state, err);
    if (!host->heartbeat)
        return -1;
    host->machine.heartbeat = host->heartbeat;
    host->keeper = keeper_start(&keeper, err);
    if (!host->keeper)
        return -1;
    if (runs_apps)
        disk_meter_follow(host->machine.disk, hint, host);
    host->presence = loop_start(host_tell_presence, host, err);
    if (!host->presence)
        return -1;
    const struct inbox_conf inbox = {.node = &host->node,
                                     .keeper = host->keeper,
                                     .reporter = host->reporter,
                                     .heartbeat = host->heartbeat,
                                     .brought = tell_presence_soon,
                                     .arg = host};
    host->inbox = inbox_start(&inbox, err);
    if (!host->inbox)
        return -1;
    if (runs_apps)
        host->events = loop_start(follow_events, host, err);
    return runs_apps && !host->events ? -1 : 0;
}

static int start(struct host *host, struct err *err) {
    pthread_mutex_init(&host->lacks_mutex, NULL);
    if (host_load(host, err) < 0 || host_lock(host, err) < 0)
        return -1;
    if (!host->node.by_file && !*host->node.cert && !name_is_loopback(host->node.brokers))
        return err_set(err, ERR_PARK,
                       "kafka \"%s\" is not on this machine, and this node has no certificate: enrol again",
                       host->node.brokers);
    if (host_offer_certificate(host, err) < 0)
        return -1;
    if (*host->node.cert && !host->node.by_file && !(host->renewal = loop_start(host_renew, host, err)))
        return -1;
    host->reporter = reporter_start(&host->node, host->machine.state, err);
    if (!host->reporter || start_keeping(host, err) < 0 ||
        (host->conf.start && host->conf.start(host->conf.arg, err) < 0))
        return -1;
    if (metrics_serve(host->conf.metrics, host->keeper, &host->metrics, err) < 0)
        return -1;
    host->self_test = loop_start(host_test_itself, host, err);
    return host->self_test ? 0 : -1;
}

/* New work first; then what has begun is finished, and said. */
static void stop(struct host *host) {
    atomic_store(&host->stopping, 1);
    reporter_hurry(host->reporter);
    httpd_stop(host->metrics);
    inbox_stop(host->inbox);
    if (host->conf.stop)
        host->conf.stop(host->conf.arg);
    loop_stop(host->events); /* it hints at the keeper, and so does the meter */
    if (host->machine.disk)
        disk_meter_follow(host->machine.disk, NULL, NULL);
    keeper_stop(host->keeper);
    disk_meter_stop(host->machine.disk);
    loop_stop(host->presence);
    loop_stop(host->self_test);
    heartbeat_close(host->heartbeat);
    loop_stop(host->renewal);
    reporter_stop(host->reporter);
}

int host_run(struct host *host) {
    struct log_conf again = {.program = host->conf.program, .conf = host->conf.options};
    struct err err = {0};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    /* Every thread inherits it: only service_wait() below sees them. */
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    sigdelset(&signals, SIGHUP);
    (void)signal(SIGPIPE, SIG_IGN);
    if (start(host, &err) < 0) {
        log_error("cannot start", LOG_S("error", err.text));
        return 1;
    }
    log_info("started", LOG_S("node", host->node.name));
    service_ready();
    log_info("stopping", LOG_S("signal", strsignal(service_wait(&signals, log_conf_reload, &again))));
    stop(host);
    return 0;
}
