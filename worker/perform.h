/* Carrying out the orders of a record. `kind`: as in the name of its topic. False: the worker's own stop cut
 * it short. That is no failure of the order: nothing is said, and it comes again. */
#ifndef FAIRLEAD_WORKER_PERFORM_H
#define FAIRLEAD_WORKER_PERFORM_H

#include "worker/worker.h"

/* The i-th order of a batch; its report in the arena. */
bool perform_one(struct worker *worker, const char *kind, const Fairlead__V1__Orders *batch, size_t i,
                 struct arena *arena, Fairlead__V1__Report **ret);
/* All of it, some at once: orders that mostly wait. Each is reported as it ends. */
bool perform_side_by_side(struct worker *worker, const char *kind, const Fairlead__V1__Orders *batch);

#endif
