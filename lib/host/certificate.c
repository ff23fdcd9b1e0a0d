/* The node's certificate is renewed at two thirds of its life. How long it lives is the coordinator's word: a
 * node whose clock is wrong counts from when it got it, and at its start, when it cannot know, asks at once
 * wherever its clock does not say that there is time. */
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/rnd.h"
#include "host/host.h"

#define AGAIN_US (5 * CLOCK_S) /* after a question that failed; longer and longer */
#define AGAIN_MAX_US (300 * CLOCK_S)

/* Not all that joined together at once. */
static int64_t two_thirds_of(int64_t life_us) {
    return life_us * 2 / 3 - (int64_t)(rnd_u64() % (uint64_t)(life_us / 20 + 1));
}

int64_t host_renewal_in(int64_t from_us, int64_t until_us, int64_t now_us) {
    int64_t due_us = from_us + two_thirds_of(until_us - from_us);
    return now_us < from_us || now_us >= due_us ? 0 : due_us - now_us;
}

static int64_t first_look(struct host *host) {
    struct cert_facts facts;
    struct err err = {0};
    host->looked = true;
    if (node_certificate(&host->node, &facts, &err) == 0)
        return host_renewal_in(facts.from_us, facts.until_us, clock_wall_us());
    log_error("the certificate", LOG_S("error", err.text));
    return 0;
}

int64_t host_renew(const struct loop *loop, void *arg) {
    struct host *host = arg;
    struct err err = {0};
    int64_t life_us = 0, wait_us = host->looked ? 0 : first_look(host);
    (void)loop;
    if (wait_us)
        return wait_us;
    if (node_renew(&host->node, &life_us, &err) == 0) {
        host->renewal_failures = 0;
        log_info("the certificate was renewed", LOG_I("seconds", life_us / CLOCK_S));
        return two_thirds_of(life_us);
    }
    log_warn("the certificate is not renewed yet", LOG_S("error", err.text));
    wait_us = AGAIN_US << (host->renewal_failures < 6 ? host->renewal_failures++ : 6);
    return wait_us < AGAIN_MAX_US ? wait_us : AGAIN_MAX_US;
}
