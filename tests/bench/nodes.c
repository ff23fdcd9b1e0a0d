/* Nodes that do nothing but live: each enrols with a token from standard input and tells its presence every
 * ten seconds, for as long as the program runs. usage: nodes FOLDER <tokens. Prints "ready" once all have
 * enrolled. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "io/kprod.h"
#include "node/envelope.h"
#include "node/node.h"
#include "proto/fairlead.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define NODES_MAX 1000
#define PERIOD_US 10000000

struct living {
    struct node_identity node;
    struct uuid stream;
    uint64_t n;
};

static struct living nodes[NODES_MAX];

static void reported(void *arg, uint64_t tag, enum kprod_result result, const char *reason) {
    (void)arg, (void)tag;
    if (result != KPROD_DELIVERED)
        (void)fprintf(stderr, "not delivered: %s\n", reason);
}

static int tell(struct kprod *kprod, struct living *living, struct err *err) {
    struct arena arena = {0};
    Fairlead__V1__Presence presence = FAIRLEAD__V1__PRESENCE__INIT;
    Fairlead__V1__Report report = FAIRLEAD__V1__REPORT__INIT, *list = &report;
    Fairlead__V1__Reports reports = FAIRLEAD__V1__REPORTS__INIT;
    char version[] = "bench";
    presence.version = version;
    report.body_case = FAIRLEAD__V1__REPORT__BODY_PRESENCE;
    report.presence = &presence;
    report.n = ++living->n;
    report.at_us = clock_wall_us();
    reports.node = (ProtobufCBinaryData){16, living->node.id.b};
    reports.stream = (ProtobufCBinaryData){16, living->stream.b};
    reports.reports = &list;
    reports.n_reports = 1;
    size_t size = fairlead__v1__reports__get_packed_size(&reports), n;
    uint8_t *payload = arena_alloc(&arena, size);
    fairlead__v1__reports__pack(&reports, payload);
    void *envelope = envelope_make(&living->node.keys, ENVELOPE_REPORTS, payload, size, &arena, &n);
    int rc = kprod_send(kprod, "fairlead.reports", -1, living->node.id.b, sizeof living->node.id.b, envelope,
                        n, NULL, 0, err);
    arena_release(&arena);
    return rc;
}

static int fail(const struct err *err) {
    (void)fprintf(stderr, "%s\n", err->text);
    return 1;
}

int main(int argc, char **argv) {
    char line[1000], state[4096];
    size_t n = 0;
    struct err err = {0};
    for (; argc == 2 && n < NODES_MAX && fgets(line, sizeof line, stdin); n++) {
        line[strcspn(line, "\n")] = '\0';
        (void)snprintf(state, sizeof state, "%s/%zu", argv[1], n);
        (void)mkdir(state, 0700);
        if (node_enrol(state, line, NULL, &nodes[n].node, &err) < 0)
            return fail(&err);
        nodes[n].stream = uuid_make(clock_wall_us());
    }
    struct broker broker = n ? node_broker(&nodes[0].node) : (struct broker){0};
    struct kprod *kprod = n ? kprod_open(&broker, "bench", reported, NULL, &err) : NULL;
    if (!kprod)
        return fail(&err);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    struct timespec turn = {.tv_sec = PERIOD_US / (int64_t)n / CLOCK_S,
                            .tv_nsec = PERIOD_US / (int64_t)n % CLOCK_S * 1000};
    if (timer < 0 || timerfd_settime(timer, 0, &(struct itimerspec){turn, turn}, NULL) < 0) {
        (void)err_errno(&err, ERR_RETRY, "cannot make a timer");
        return fail(&err);
    }
    printf("ready\n");
    (void)fflush(stdout);
    for (size_t i = 0;; i = (i + 1) % n) {
        if (tell(kprod, &nodes[i], &err) < 0)
            return fail(&err);
        (void)kprod_poll(kprod, 0);
        uint64_t ticks;
        (void)!read(timer, &ticks, sizeof ticks); /* until the next one's turn */
    }
}
