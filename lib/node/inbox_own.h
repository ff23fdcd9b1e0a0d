/* For the files of the inbox: inbox.c (what a record says, and the topics), inbox_file.c (without a link). */
#ifndef FAIRLEAD_NODE_INBOX_OWN_H
#define FAIRLEAD_NODE_INBOX_OWN_H

#include "base/loop.h"
#include "io/kcons.h"
#include "node/inbox.h"

struct answer {
    uint32_t came; /* so many of its parts */
    bool whole;
};

struct inbox {
    struct inbox_conf conf;
    struct loop *loop;
    uint8_t nonce[16];
    struct answer *answers; /* to each part of the inventory */
    size_t parts_n, whole;
    int64_t asked_at, ask_after;
    bool asks; /* a heartbeat was about other documents: the list is wanted */
};

/* -1: it could not be kept, which was said; one that is refused is done with. */
MUST_CHECK int inbox_take(struct inbox *inbox, const struct kcons_record *record);

/* A turn of base/loop.h: bundles that were brought are read, in their order; ends with the program. */
int64_t inbox_turn_by_file(const struct loop *loop, void *inbox);

#endif
