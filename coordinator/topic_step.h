/* Topics, and who may read and write them, as a step with a row: every fixed topic is made at start, a node's
 * when it enrolled; only then is the node ready to be given documents. When it is revoked the step runs
 * again. Runs until all is made, again when woken. `broker` names who may make them; where it is reached in
 * clear there are no rights. */
#ifndef FAIRLEAD_COORDINATOR_TOPIC_STEP_H
#define FAIRLEAD_COORDINATOR_TOPIC_STEP_H

#include "base/err.h"
#include "io/broker.h"

struct topic_step *topic_step_start(const char *database_url, const struct broker *broker,
                                    void (*wake_clock)(void *arg), void *arg, struct err *err);
void topic_step_stop(struct topic_step *step); /* NULL is fine */
void topic_step_wake(struct topic_step *step); /* a row was written. Any thread */
void topic_step_look(struct topic_step *step); /* the broker lacks something: look now. Any thread */

#endif
