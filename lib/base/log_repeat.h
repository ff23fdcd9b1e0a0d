/* Which complaints are written, so that no log grows without an end: what repeats is written once, counted,
 * and written again with growing pauses. Pure but for its table: the time is an input.
 *
 * Two ceilings. The same line (its numbers aside) is written again after a second, then two, four ... up to
 * ten minutes. Of one message, whatever it speaks of, BURST lines are written in such a span, so that a
 * stranger who varies what is quoted gains nothing. A complaint that has been quiet for a while begins anew.
 * Not safe between threads. */
#ifndef FAIRLEAD_BASE_LOG_REPEAT_H
#define FAIRLEAD_BASE_LOG_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_REPEAT_SLOTS 128 /* of each kind: more than there are messages of ours */
#define LOG_REPEAT_BURST 20

struct log_repeat_slot {
    uint64_t key;
    int64_t span_us, until, seen; /* the present span ends at `until` */
    int64_t written, left_out;
    bool full; /* something was left out in this span */
};

struct log_repeat {
    struct log_repeat_slot messages[LOG_REPEAT_SLOTS], lines[LOG_REPEAT_SLOTS];
};

/* May a line be written whose message and whose whole content hash to these? *ret_left_out: how many like it
 * were not since the last that was. */
bool log_repeat_may_write(struct log_repeat *repeat, uint64_t message, uint64_t line, int64_t now_us,
                          int64_t *ret_left_out);

#endif
