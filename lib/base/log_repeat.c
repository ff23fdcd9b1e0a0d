#include "base/log_repeat.h"

#include "base/clock.h"

#include <stddef.h>

#define SPAN_MIN_US CLOCK_S
#define SPAN_MAX_US (600 * CLOCK_S)
#define QUIET_US (60 * CLOCK_S)

/* The slot of a key, or the one whose span ended longest ago. */
static struct log_repeat_slot *find(struct log_repeat_slot *slots, uint64_t key, int64_t now) {
    struct log_repeat_slot *oldest = &slots[0];
    for (size_t i = 0; i < LOG_REPEAT_SLOTS; i++) {
        struct log_repeat_slot *slot = &slots[i];
        if (slot->key == key && slot->span_us)
            return slot;
        oldest = slot->until < oldest->until ? slot : oldest;
    }
    *oldest =
        (struct log_repeat_slot){.key = key, .span_us = SPAN_MIN_US, .until = now + SPAN_MIN_US, .seen = now};
    return oldest;
}

/* The next span is twice as long while it is needed; after a quiet time it begins anew. */
static void turn(struct log_repeat_slot *slot, bool grows, int64_t now) {
    int64_t gap = now - slot->seen;
    slot->seen = now;
    if (now < slot->until)
        return;
    if (gap > QUIET_US && gap > slot->span_us)
        slot->span_us = SPAN_MIN_US;
    else if (grows || slot->full)
        slot->span_us = 2 * slot->span_us < SPAN_MAX_US ? 2 * slot->span_us : SPAN_MAX_US;
    slot->until = now + slot->span_us;
    slot->written = 0;
    slot->full = false;
}

static void leave_out(struct log_repeat_slot *slot) {
    slot->left_out++;
    slot->full = true;
}

bool log_repeat_may_write(struct log_repeat *repeat, uint64_t message, uint64_t line, int64_t now_us,
                          int64_t *ret_left_out) {
    struct log_repeat_slot *same = find(repeat->lines, line, now_us);
    turn(same, true, now_us);
    if (same->written) { /* repeats of one line do not use up what others may still say */
        leave_out(same);
        return false;
    }
    struct log_repeat_slot *alike = find(repeat->messages, message, now_us);
    turn(alike, false, now_us);
    if (alike->written >= LOG_REPEAT_BURST) {
        leave_out(alike);
        return false;
    }
    *ret_left_out = same->left_out + alike->left_out;
    same->left_out = alike->left_out = 0;
    same->written++;
    alike->written++;
    return true;
}
