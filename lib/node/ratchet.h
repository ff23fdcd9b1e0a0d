/* What this node holds of each document, on disk, synced before anything is done: the last envelope that it
 * accepted, and the last one that became healthy (protocol section 7). A lower (key, epoch,
 * revision) is refused for ever; an equal one with equal content means converge again; equal with other
 * content is an alarm. Entries outlive everything: also an absent one stays. */
#ifndef FAIRLEAD_NODE_RATCHET_H
#define FAIRLEAD_NODE_RATCHET_H

#include "base/err.h"
#include "base/uuid.h"

#include <stddef.h>
#include <stdint.h>

enum ratchet_verdict { RATCHET_NEW, RATCHET_SAME, RATCHET_OLDER, RATCHET_ALARM };

struct ratchet_number {
    uint64_t since; /* of the key that signed it (key_set.h): no number of an older key is above it */
    uint32_t epoch;
    uint64_t revision;
};
int ratchet_compare(struct ratchet_number a, struct ratchet_number b);
/* What to do with a document `offered` when `held` is there (held.epoch 0: nothing is). Pure. */
enum ratchet_verdict ratchet_judge(struct ratchet_number held, struct ratchet_number offered,
                                   int same_content);

/* Envelopes as files: STATE/documents/KEY.accepted and .healthy. */
MUST_CHECK int ratchet_write(const char *state, const char *key, const char *which, const void *envelope,
                             size_t n, struct err *err);
/* Calls each() for every accepted envelope, with the healthy one beside it (NULL if there is none). */
MUST_CHECK int ratchet_read_all(const char *state,
                                int (*each)(void *arg, const void *accepted, size_t accepted_n,
                                            const void *healthy, size_t healthy_n, struct err *err),
                                void *arg, struct err *err);

#endif
