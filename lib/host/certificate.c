/* The node's certificate is renewed at two thirds of its life. How long it lives is the coordinator's word: a
 * node whose clock is wrong counts from when it got it, and at its start, when it cannot know, asks at once
 * wherever its clock does not say that there is time. */
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/rnd.h"
#include "host/host.h"
#include "model/names.h"

#include <stdio.h>

#define AGAIN_US (5 * CLOCK_S) /* after a question that failed; longer and longer */
#define AGAIN_MAX_US (300 * CLOCK_S)

/* Not all that joined together at once. */
static int64_t two_thirds_of(int64_t life_us) {
    return life_us * 2 / 3 - (int64_t)(rnd_u64() % (uint64_t)(life_us / 20 + 1));
}

/* In how many microseconds, for a program that has just begun; 0: now. */
static int64_t renewal_in(int64_t from_us, int64_t until_us, int64_t now_us) {
    int64_t due_us = from_us + two_thirds_of(until_us - from_us);
    return now_us < from_us || now_us >= due_us ? 0 : due_us - now_us;
}

static int64_t first_look(struct host *host) {
    struct cert_facts facts;
    struct err err = {0};
    host->looked = true;
    if (node_certificate(&host->node, &facts, &err) == 0)
        return renewal_in(facts.from_us, facts.until_us, clock_wall_us());
    log_error("the certificate", LOG_S("error", err.text));
    return 0;
}

int host_offer_certificate(const struct host *host, struct err *err) {
    static const char *const names[] = {"client.cert", "client.key"};
    char folder[400], path[512];
    cleanup_free char *root = NULL, *both = NULL;
    size_t root_n, both_n;
    if (!host->conf.engine_certs || !*host->node.cert || name_is_loopback(host->machine.registry))
        return 0;
    (void)snprintf(folder, sizeof folder, "%s/%s", host->conf.engine_certs, host->machine.registry);
    (void)snprintf(path, sizeof path, "%s/ca.crt", folder);
    if (file_mkdirs(folder, 0755, err) < 0 ||
        file_read(host->node.root, CERT_PEM_MAX, &root, &root_n, err) < 0 ||
        file_read_secret(host->node.cert, CERT_PEM_MAX, &both, &both_n, err) < 0 ||
        file_write(path, root, root_n, 0644, err) < 0)
        return -1;
    /* Key and chain stand in one text, and the Engine reads of each file what it looks for. */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (file_write(path, both, both_n, 0600, err) < 0)
            return -1;
    }
    return 0;
}

/* Later and later, up to five minutes. */
static int64_t again_in(struct host *host) {
    int64_t wait_us = AGAIN_US << (host->renewal_failures < 6 ? host->renewal_failures++ : 6);
    return wait_us < AGAIN_MAX_US ? wait_us : AGAIN_MAX_US;
}

/* What the coordinator gave is not asked for again because a folder cannot be written. */
static int64_t offer(struct host *host) {
    struct err err = {0};
    host->unoffered = host_offer_certificate(host, &err) < 0;
    if (host->unoffered) {
        log_warn("the Engine is not told of the new certificate yet", LOG_S("error", err.text));
        return again_in(host);
    }
    host->renewal_failures = 0;
    int64_t left_us = host->renew_at - clock_mono_us();
    return left_us > 0 ? left_us : 0;
}

int64_t host_renew(const struct loop *loop, void *arg) {
    struct host *host = arg;
    struct err err = {0};
    int64_t life_us = 0, wait_us = host->looked ? 0 : first_look(host);
    (void)loop;
    if (wait_us)
        return wait_us;
    if (host->unoffered)
        return offer(host);
    if (node_renew(&host->node, &life_us, &err) < 0) {
        log_warn("the certificate is not renewed yet", LOG_S("error", err.text));
        return again_in(host);
    }
    log_info("the certificate was renewed", LOG_I("seconds", life_us / CLOCK_S));
    host->renew_at = clock_mono_us() + two_thirds_of(life_us);
    return offer(host);
}
