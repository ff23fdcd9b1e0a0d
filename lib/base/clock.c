#include "base/clock.h"

#include <stdio.h>

static int64_t read_us(clockid_t id) {
    struct timespec ts;
    (void)clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * CLOCK_S + ts.tv_nsec / 1000;
}

int64_t clock_wall_us(void) {
    return read_us(CLOCK_REALTIME);
}

int64_t clock_mono_us(void) {
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_boot_us(void) {
    return read_us(CLOCK_BOOTTIME);
}

struct timespec clock_mono_timespec(int64_t mono_us) {
    return (struct timespec){.tv_sec = mono_us / CLOCK_S, .tv_nsec = mono_us % CLOCK_S * 1000};
}

char *clock_text(int64_t wall_us, char out[28]) {
    time_t s = wall_us / CLOCK_S;
    struct tm tm;
    char day[20];
    if (!gmtime_r(&s, &tm) || !strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm)) {
        out[0] = '\0';
        return out;
    }
    (void)snprintf(out, 28, "%s.%06dZ", day, (int)(wall_us % CLOCK_S));
    return out;
}

bool clock_parse(const char *text, int64_t *ret_wall_us) {
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm tm = {0};
        const char *end = strptime(text, forms[i], &tm);
        struct tm meant = tm; /* timegm() makes 1 July of 31 June */
        time_t s = end && !*end ? timegm(&meant) : -1;
        if (s < 0 || tm.tm_year > 8099 || tm.tm_mday != meant.tm_mday)
            continue;
        *ret_wall_us = (int64_t)s * CLOCK_S;
        return true;
    }
    return false;
}
