/* When to try again: exponential backoff with full jitter, from `base_us`, at most `cap_us`. Pure: the random
 * number is an input, so that whoever decides stays pure. */
#ifndef FAIRLEAD_BASE_RETRY_H
#define FAIRLEAD_BASE_RETRY_H

#include <stdint.h>

/* Delay before attempt number `attempt` + 1 (attempts count from 1); between half and the whole of the
 * exponential step, so that it never collapses to zero. */
int64_t retry_delay_us(int attempt, int64_t base_us, int64_t cap_us, uint64_t random);

#endif
