/* The coordinator's keys rotate (protocol section 11). `rotate` makes a key and the sets that are signed by
 * the authority's root: one that announces it, and one that retires those before it. The clock does the rest:
 * nodes are told of a set; when they know it its youngest key signs; all documents are signed again; the next
 * set is released. After a theft there is one set only, and it waits for nobody. */
#ifndef FAIRLEAD_COORDINATOR_KEY_SETS_H
#define FAIRLEAD_COORDINATOR_KEY_SETS_H

#include "coordinator/signing.h"
#include "io/pg.h"

/* By hand. `authority`: its folder, which has root.key for this moment. Prints what was done, and what is to
 * do next. Class park. */
struct rotate_conf {
    const char *authority, *state;
    bool stolen;
};
MUST_CHECK int key_sets_rotate(struct pg *pg, const struct rotate_conf *conf, struct err *err);

/* One who signs looks which key does; *ret_since (may be NULL): of it. */
MUST_CHECK int key_sets_follow(struct pg *pg, struct signing *signing, int64_t *ret_since, struct err *err);
/* What is to be done now; `again_s`: after so many seconds a node that says nothing is told again. */
MUST_CHECK int key_sets_step(struct pg *pg, struct signing *signing, int64_t again_s, struct err *err);
/* The newest that nodes are told of, as hex; NULL: there is none. */
MUST_CHECK int key_sets_released(struct pg *pg, struct arena *arena, const char **ret, struct err *err);

#endif
