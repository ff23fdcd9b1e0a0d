/* What a node without a link has to say, on disk until somebody carries it away: the last word about each
 * thing, in STATE/spool, so it grows with what there was to speak of and not with time. An export is all of
 * it, signed, under a stream of its own (reporter.h): one that is lost, repeated, or overtaken by a later one
 * does no harm. */
#ifndef FAIRLEAD_NODE_SPOOL_H
#define FAIRLEAD_NODE_SPOOL_H

#include "base/json.h"
#include "node/node.h"
#include "proto/fairlead.pb-c.h"

#define SPOOL_BYTES_MAX 140000 /* of an envelope: in base64 less than a request to the API may have */

/* In place of the last word about the same thing; secrets that were sealed, and are not said again, are kept
 * of that. That something was mended is left out: each export would tell of it anew. What answers a question
 * of the coordinator's is not kept: it comes with a bundle, unasked. Class retry. */
MUST_CHECK int spool_keep(const char *state, const Fairlead__V1__Report *report, struct err *err);

/* What was last said of its own doubt (heartbeat.h): "" for none. */
void spool_doubt(const char *state, char out[16]);

/* {"node", "name", "made_at", "reports": [envelope as base64, ...]}; the caller's. *ret_n: things that it
 * speaks of. */
MUST_CHECK int spool_export(const struct node_identity *node, json_t **ret, size_t *ret_n, struct err *err);

#endif
