#include "base/retry.h"

int64_t retry_delay_us(int attempt, int64_t base_us, int64_t cap_us, uint64_t random) {
    int64_t step = base_us;
    for (int i = 1; i < attempt && step < cap_us; i++)
        step *= 2;
    if (step > cap_us)
        step = cap_us;
    return step / 2 + (int64_t)(random % (uint64_t)(step / 2 + 1));
}
