/* What a node without a link is told and says, as files that somebody carries. Told: a bundle, which is the
 * records of its topics as its inbox would read them (proto/README.md, "By file"), so each is judged by
 * itself and whose file it was does not matter. Said: its last words (spool.h), signed. */
#ifndef FAIRLEAD_NODE_BUNDLE_H
#define FAIRLEAD_NODE_BUNDLE_H

#include "base/err.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "io/kcons.h"
#include "model/bundle_format.h"

#define BUNDLE_ARRIVED "arrived" /* folder of a node's state: those that were brought, as NUMBER.json */

/* Reads the records of a bundle for `node`, in their order, and hands each over; `topic`, key and value live
 * until it returns. *ret_made_at: as the coordinator wrote it, in the arena. Class park: it is no bundle, or
 * another node's; nothing was handed over then. */
MUST_CHECK int bundle_read(const char *text, size_t n, struct uuid node, struct arena *arena,
                           void (*take)(void *arg, const struct kcons_record *record), void *arg,
                           const char **ret_made_at, struct err *err);

#endif
