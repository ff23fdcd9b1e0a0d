/* How much disk the volumes of each instance take on this host. A size's disk is reserved and measured, not
 * enforced (Docker's volumes have no limit on most file systems): so whoever fills it must be told in time.
 *
 * A thread of its own walks one volume after another, at idle priority, so that neither apps nor steps wait
 * for it; what it found last is there at once. */
#ifndef FAIRLEAD_STEP_DISK_METER_H
#define FAIRLEAD_STEP_DISK_METER_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct disk_meter;

/* Measures the volumes that carry this node's label. Class retry: no thread. */
struct disk_meter *disk_meter_start(const char *engine_socket, const char *node, struct err *err);
/* From now on news(arg, instance) is called when there is some, from the meter's thread; NULL: no more. */
void disk_meter_follow(struct disk_meter *meter, void (*news)(void *arg, const char *instance), void *arg);
void disk_meter_stop(struct disk_meter *meter); /* NULL is fine */

/* MB that the volumes of this instance (hex) take, of the `size_mb` that it has reserved (0: none); -1: not
 * measured yet. True: it is news, as it has changed by more than a fiftieth, or passed 80 % or the whole,
 * since that was said. */
bool disk_meter_news(struct disk_meter *meter, const char *instance, int64_t size_mb, int64_t *ret_mb);

#endif
