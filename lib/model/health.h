/* Health: what is known of a running instance, apart from the state that its owner wanted. Derived from what
 * its host, its edge and its prober last said, and from their silence. */
#ifndef FAIRLEAD_MODEL_HEALTH_H
#define FAIRLEAD_MODEL_HEALTH_H

#include "model/subject.h"

/* Judges anew; an event when it changed. `reason` is what the report at hand says, or NULL. */
void health_refresh(struct subject *subject, struct decision *decision, const char *reason);
/* Why a report says what it says: a link that is cut is told apart from an app that is dead. */
const char *health_reason(const struct subject *subject, const struct document_report *report);
/* A report of a watch, after which the name may have to be written again. */
bool health_wants_repair(const struct subject *subject, const struct document_report *report);

#endif
