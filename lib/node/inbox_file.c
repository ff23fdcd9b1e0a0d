/* The inbox of a node without a link: bundles that somebody brought ("import") lie in STATE/arrived, and are
 * read as its topics would be. What it holds is the whole of one, so there is nothing to ask for. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "node/bundle.h"
#include "node/inbox_own.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define AGAIN_US (15 * CLOCK_S) /* after one that could not be kept */

struct arrived {
    struct arena arena;
    struct vec names; /* const char * */
};

static int add_name(const char *name, void *arg, struct err *err) {
    struct arrived *arrived = arg;
    const char *dot = strrchr(name, '.');
    (void)err;
    if (str_eq(dot, ".json"))
        *vec_add(&arrived->arena, &arrived->names, const char *) = arena_strdup(&arrived->arena, name);
    return 0;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct reading {
    struct inbox *inbox;
    bool failed;
};

static void take(void *arg, const struct kcons_record *record) {
    struct reading *reading = arg;
    reading->failed = inbox_take(reading->inbox, record) < 0 || reading->failed;
}

/* -1: it stays, and is read again. */
static int read_bundle(struct inbox *inbox, const char *path) {
    struct reading reading = {.inbox = inbox};
    struct arena arena = {0};
    struct err err = {0};
    cleanup_free char *text = NULL;
    const char *made_at = "";
    size_t n;
    heartbeat_hold(inbox->conf.heartbeat);
    int rc = file_read(path, BUNDLE_BYTES_MAX, &text, &n, &err);
    if (rc == 0 && bundle_read(text, n, inbox->conf.node->id, &arena, take, &reading, &made_at, &err) < 0)
        log_error("a bundle cannot be read, and is left out", LOG_S("error", err.text));
    else if (rc == 0 && !reading.failed)
        log_info("a bundle was read", LOG_S("made_at", made_at));
    arena_release(&arena);
    heartbeat_judge(inbox->conf.heartbeat, inbox->conf.keeper);
    inbox->conf.brought(inbox->conf.arg);
    if (rc == 0 && !reading.failed)
        rc = fault_check(FAULT_BUNDLE_READ, &err) < 0 || file_remove(path, &err) < 0 ? -1 : 0;
    if (rc < 0)
        log_error("a bundle cannot be read yet", LOG_S("error", err.text));
    return rc < 0 || reading.failed ? -1 : 0;
}

/* *ret_n: how many there were. */
static int read_all(struct inbox *inbox, const struct loop *loop, const char *folder, size_t *ret_n) {
    struct arrived arrived = {0};
    struct err err = {0};
    int rc = file_list(folder, add_name, &arrived, &err);
    if (arrived.names.n)
        qsort(arrived.names.items, arrived.names.n, sizeof(char *), by_text);
    for (size_t i = 0; i < arrived.names.n && rc == 0 && !loop_is_ending(loop); i++)
        rc = read_bundle(
            inbox, arena_printf(&arrived.arena, "%s/%s", folder, *vec_at(&arrived.names, const char *, i)));
    *ret_n = arrived.names.n;
    arena_release(&arrived.arena);
    return rc;
}

/* One that held nothing acts on no bundle from before it joined, nor on a part of one: somebody may have kept
 * an old one. */
static bool may_begin(struct inbox *inbox) {
    struct cert_facts facts;
    struct err err = {0};
    if (!keeper_is_fresh(inbox->conf.keeper))
        return true;
    return node_certificate(inbox->conf.node, &facts, &err) == 0 &&
           heartbeat_newest(inbox->conf.heartbeat) >= facts.from_us + CERT_EARLY_US &&
           !heartbeat_doubt(inbox->conf.heartbeat);
}

/* Until something comes, or the program ends. */
static void wait_for(const struct loop *loop, int watch) {
    char events[4096];
    struct pollfd poll_fd = {.fd = watch, .events = POLLIN};
    while (!loop_is_ending(loop))
        if (poll(&poll_fd, 1, 500) > 0) {
            (void)!read(watch, events, sizeof events);
            return;
        }
}

int64_t inbox_turn_by_file(const struct loop *loop, void *arg) {
    struct inbox *inbox = arg;
    struct err err = {0};
    char folder[PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%s/" BUNDLE_ARRIVED, inbox->conf.node->state);
    cleanup_close int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (file_mkdirs(folder, 0700, &err) < 0 || watch < 0 ||
        inotify_add_watch(watch, folder, IN_MOVED_TO) < 0) {
        log_error("what is brought cannot be seen", LOG_S("folder", folder), LOG_S("error", err.text));
        return AGAIN_US;
    }
    heartbeat_judge(inbox->conf.heartbeat, inbox->conf.keeper);
    while (!loop_is_ending(loop)) {
        size_t n;
        if (read_all(inbox, loop, folder, &n) < 0)
            return AGAIN_US;
        if (may_begin(inbox))
            keeper_open(inbox->conf.keeper);
        else if (n)
            log_warn(
                "nothing is begun yet: what was brought is from before this machine joined, or a part of it");
        wait_for(loop, watch);
    }
    return AGAIN_US;
}
