#include "io/service.h"

#include <errno.h>
#include <stdint.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#define IDLE_US UINT64_C(3600000000)

void service_ready(void) {
    (void)sd_notify(0, "READY=1");
}

/* sd_notify(3): what is reloaded since when, and that it is ready again. */
static void reload_now(void (*reload)(void *arg), void *arg) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
                     (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    reload(arg);
    service_ready();
}

int service_wait(const sigset_t *signals, void (*reload)(void *arg), void *arg) {
    uint64_t watchdog_us = 0, wait_us = IDLE_US;
    sigset_t all = *signals;
    sigaddset(&all, SIGHUP);
    if (sd_watchdog_enabled(0, &watchdog_us) > 0)
        wait_us = watchdog_us / 2;
    const struct timespec wait = {.tv_sec = (time_t)(wait_us / 1000000),
                                  .tv_nsec = (long)(wait_us % 1000000) * 1000};
    for (;;) {
        int got = sigtimedwait(&all, NULL, &wait);
        if (got == SIGHUP) {
            reload_now(reload, arg);
        } else if (got > 0) {
            (void)sd_notify(0, "STOPPING=1");
            return got;
        } else if (errno == EAGAIN && watchdog_us) {
            (void)sd_notify(0, "WATCHDOG=1");
        }
    }
}
