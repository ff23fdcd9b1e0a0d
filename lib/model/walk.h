/* Walks: which intent runs, which steps may begin, when a walk has ended. */
#ifndef FAIRLEAD_MODEL_WALK_H
#define FAIRLEAD_MODEL_WALK_H

#include "model/subject.h"

/* A walk that had parked runs again: it is not failed any more. */
void walk_goes_on(struct subject *subject, struct decision *decision, const struct intent *intent);
/* Goes as far as possible: opens what may begin, ends walks, starts what waits. */
void walk_advance(struct subject *subject, struct decision *decision);

#endif
