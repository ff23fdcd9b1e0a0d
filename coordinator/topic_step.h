/* Topics as a step with a row: every fixed topic is made at start, a node's when it enrolled; only then is
 * the node ready to be given documents. Runs until all is made, again when woken. */
#ifndef FAIRLEAD_COORDINATOR_TOPIC_STEP_H
#define FAIRLEAD_COORDINATOR_TOPIC_STEP_H

#include "base/err.h"
#include "io/broker.h"

struct topic_step *topic_step_start(const char *database_url, const struct broker *broker,
                                    void (*wake_clock)(void *arg), void *arg, struct err *err);
void topic_step_stop(struct topic_step *step); /* NULL is fine */
void topic_step_wake(struct topic_step *step); /* any thread */

#endif
