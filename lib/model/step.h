/* Steps: what opening one sends, and what a result does to it. */
#ifndef FAIRLEAD_MODEL_STEP_H
#define FAIRLEAD_MODEL_STEP_H

#include "model/subject.h"

/* Opens a step whose prerequisites are done, or sends it again. May settle it at once. */
void step_open(struct subject *subject, struct decision *decision, struct step *step);
/* Its node is at it, and has come nearer: no try of it has failed. */
void step_progress(struct step *step, const struct problem *problem);
/* A result for an open step. */
void step_settle(struct subject *subject, struct decision *decision, struct step *step,
                 enum result_class result, const struct problem *problem, const char *facts);

/* The document as it should be now, without a walk: something that its content is made of has changed. It
 * goes out with a new revision where the content differs. */
void document_refresh(struct subject *subject, struct decision *decision, struct document *document);

/* What a task or a certificate holds from now on, which is not made of the subject: another revision, sent to
 * the node. Nothing where it holds that already. */
void document_put(struct subject *subject, struct decision *decision, int kind, const char *letter,
                  struct uuid node_id, struct bytes content);

#endif
