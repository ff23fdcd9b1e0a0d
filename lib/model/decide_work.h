/* Decisions about work that belongs to a key: a source to resolve, an image to build. Many instances may wait
 * for one key; its result becomes a due row for each of them (`fan_out`), decided by decide() in its turn. */
#ifndef FAIRLEAD_MODEL_DECIDE_WORK_H
#define FAIRLEAD_MODEL_DECIDE_WORK_H

#include "model/subject.h"

/* Is what it came to too old for somebody who began to wait at `since`? An image that was built stays good,
 * and so does a source that is pinned; one that is followed and a failure are asked for again. What was
 * settled in a future that the clock has come back from counts as settled long ago. */
bool work_is_stale(const struct work *work, int64_t since, int64_t now);

/* Due: somebody began to wait, or time passed. `waiting_since` is the latest start of a step that waits for
 * the key (0: none). True when those that wait must look again. */
bool decide_work_due(struct work *work, int64_t waiting_since, struct decision *decision);

/* A node reports. Success of any attempt counts while it is open; failure only of the present attempt. */
bool decide_work_report(struct work *work, int64_t attempt, enum result_class result,
                        const struct problem *problem, const char *facts, struct uuid node,
                        struct decision *decision);

#endif
