#include "io/service.h"

#include <errno.h>
#include <stdint.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#define IDLE_US UINT64_C(3600000000)

void service_ready(void) {
    (void)sd_notify(0, "READY=1");
}

int service_wait(const sigset_t *signals) {
    uint64_t watchdog_us = 0, wait_us = IDLE_US;
    if (sd_watchdog_enabled(0, &watchdog_us) > 0)
        wait_us = watchdog_us / 2;
    const struct timespec wait = {.tv_sec = (time_t)(wait_us / 1000000),
                                  .tv_nsec = (long)(wait_us % 1000000) * 1000};
    for (;;) {
        int got = sigtimedwait(signals, NULL, &wait);
        if (got > 0) {
            (void)sd_notify(0, "STOPPING=1");
            return got;
        }
        if (errno == EAGAIN && watchdog_us)
            (void)sd_notify(0, "WATCHDOG=1");
    }
}
