#include "io/totp.h"

#include "base/clock.h"

#include <liboath/oath.h>
#include <sodium.h>
#include <stdlib.h>

void totp_make(uint8_t out[TOTP_SECRET_SIZE]) {
    randombytes_buf(out, TOTP_SECRET_SIZE);
}

const char *totp_text(const uint8_t secret[TOTP_SECRET_SIZE], struct arena *arena) {
    char *text = NULL;
    size_t n;
    if (oath_base32_encode((const char *)secret, TOTP_SECRET_SIZE, &text, &n) != OATH_OK)
        abort(); /* no memory */
    const char *kept = arena_strndup(arena, text, n);
    free(text);
    return kept;
}

bool totp_is(const uint8_t secret[TOTP_SECRET_SIZE], const char *code, int64_t now_us, int64_t *ret_step) {
    uint64_t step = 0;
    int rc = oath_totp_validate4((const char *)secret, TOTP_SECRET_SIZE, (time_t)(now_us / CLOCK_S),
                                 OATH_TOTP_DEFAULT_TIME_STEP_SIZE, OATH_TOTP_DEFAULT_START_TIME, 1, NULL,
                                 &step, 0, code);
    *ret_step = (int64_t)step;
    return rc >= 0;
}
