/* A thread that takes turns. Each turn says how long it may sleep before the next, unless it is woken; a wake
 * that comes during a turn counts for the next. */
#ifndef FAIRLEAD_BASE_LOOP_H
#define FAIRLEAD_BASE_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

#define LOOP_IDLE INT64_C(3600000000) /* until it is woken: nothing is due by itself */
/* `turn` returns microseconds. It may be called before this returns. Class retry: no thread. */
struct loop *loop_start(int64_t (*turn)(const struct loop *loop, void *arg), void *arg, struct err *err);
void loop_wake(struct loop *loop); /* any thread */
/* For turns that take long: must this one end? */
bool loop_is_ending(const struct loop *loop);
/* Waits for the turn that is under way; then there is no other. NULL is fine. */
void loop_stop(struct loop *loop);

#endif
