/* What decisions put into orders and documents: built from the subject alone, the same bytes for the same
 * wanted state (so a document's content says by itself whether anything changed). */
#ifndef FAIRLEAD_MODEL_MESSAGE_H
#define FAIRLEAD_MODEL_MESSAGE_H

#include "model/subject.h"

/* What a document of this kind (and set) should hold now, and on which node it belongs. A task and a
 * certificate hold what was put into them (model/step.h). */
struct wanted {
    struct uuid node_id; /* nil: on none, nothing is placed */
    bool absent;
    struct bytes content;
};
struct wanted document_want(const struct subject *subject, struct decision *decision, int kind,
                            const char *letter, enum want want);
/* The condition that a node reports of it when it is as wanted. */
const char *document_condition(int kind, enum want want);

struct bytes message_order(const struct subject *subject, struct decision *decision, const struct step *step,
                           enum want want);
/* JSON parameters of the work that a RESOLVE or BUILD step waits for, and its key. */
const char *message_work_key(const struct subject *subject, struct decision *decision,
                             const struct step *step);
const char *message_work_params(const struct subject *subject, struct decision *decision,
                                const struct step *step);
struct bytes message_work_order(const struct work *work, struct decision *decision);

#endif
