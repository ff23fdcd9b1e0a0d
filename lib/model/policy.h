/* What a customer allows in its own network: a file of its own, which no word of the provider's can change.
 * It is asked about what is new: a stack that was never as wanted, or something that is to go. What was as
 * wanted once is kept as it is. */
#ifndef FAIRLEAD_MODEL_POLICY_H
#define FAIRLEAD_MODEL_POLICY_H

#include "base/err.h"
#include "base/mem.h"
#include "base/schema.h"
#include "proto/fairlead.pb-c.h"

/* Its fields; a file without one of them does not limit that. */
extern const struct schema_field policy_fields[];

/* The rules of a file, as JSON; the caller frees. NULL, class park: "NAME:LINE:COLUMN: reason". */
json_t *policy_parse(const char *name, const char *text, size_t n, struct err *err);

struct policy_question {
    bool absent;                      /* it is to go */
    const Fairlead__V1__Stack *stack; /* of a stack; NULL: another kind */
    int64_t instances;                /* that this machine holds besides */
    int minute;                       /* of the local day: 0 to 1439 */
};
enum policy_answer { POLICY_YES, POLICY_NO, POLICY_LATER /* outside the hours: ask again */ };
/* *ret_why: one sentence, where the answer is not yes. */
enum policy_answer policy_ask(const json_t *rules, const struct policy_question *question,
                              struct arena *arena, const char **ret_why);

#endif
