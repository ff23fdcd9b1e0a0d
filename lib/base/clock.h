/* Two clocks and never a third. Wall time is only for stamps and for what a person reads; deadlines inside a
 * process are monotonic. What the engine decides by comes from PostgreSQL. Unit: microseconds. */
#ifndef FAIRLEAD_BASE_CLOCK_H
#define FAIRLEAD_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_MS INT64_C(1000)
#define CLOCK_S INT64_C(1000000)
#define CLOCK_DAY (INT64_C(86400) * CLOCK_S)
#define CLOCK_NEVER INT64_MAX

int64_t clock_wall_us(void); /* since 1970-01-01T00:00:00Z */
int64_t clock_mono_us(void);
int64_t clock_boot_us(void); /* since this machine began; goes on while it sleeps, never jumps */
struct timespec clock_mono_timespec(int64_t mono_us); /* for pthread_cond_clockwait and the like */
/* RFC 3339 in UTC with microseconds; `out` has room for 28. */
char *clock_text(int64_t wall_us, char out[28]);
/* A date (its first moment, in UTC) or a time of RFC 3339 in UTC ("Z"), from 1970 on; false for anything
 * else. */
bool clock_parse(const char *text, int64_t *ret_wall_us);

#endif
