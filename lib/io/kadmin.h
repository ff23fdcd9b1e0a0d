/* What somebody with power over a Kafka cluster does: topics, and who may do what with them (rights: ACLs of
 * its authorizer). One request, one answer, on the caller's thread; a question that is not answered within 10
 * s is class retry. */
#ifndef FAIRLEAD_IO_KADMIN_H
#define FAIRLEAD_IO_KADMIN_H

#include "base/err.h"
#include "base/mem.h"
#include "io/broker.h"

#include <stdbool.h>
#include <stddef.h>

struct kadmin *kadmin_open(const struct broker *broker, const char *client, struct err *err);
void kadmin_close(struct kadmin *kadmin); /* NULL is fine */

/* Makes a topic with exactly these settings ("name=value" pairs, NULL-ended) and as many copies as is the
 * broker's default; one that exists is fine. *ret_made (may be NULL) says whether it was not there before. */
MUST_CHECK int kadmin_make_topic(struct kadmin *kadmin, const char *topic, int partitions,
                                 const char *const *settings, bool *ret_made, struct err *err);

/* Calls each() for every topic that the broker has: one request. */
MUST_CHECK int kadmin_topics(struct kadmin *kadmin, void (*each)(void *arg, const char *topic), void *arg,
                             struct err *err);

enum kright_of { KRIGHT_TOPIC, KRIGHT_GROUP };
enum kright_act { KRIGHT_READ, KRIGHT_WRITE, KRIGHT_DESCRIBE, KRIGHT_ALL };
/* One right of one principal, or (deny) what it may not whatever else it has. */
struct kright {
    const char *principal; /* as the broker maps certificates, without "User:" */
    const char *name;      /* of a topic or group; "*": of all */
    enum kright_of of;
    enum kright_act act;
    bool prefixed; /* of all whose names begin so */
    bool deny;
};
int kright_compare(const struct kright *a, const struct kright *b); /* an order; 0: the same */

/* Adds those of one principal, or with NULL of all, to `ret` (struct kright, in the arena). What this table
 * cannot say (a host, another kind of resource) is somebody else's and left out. */
MUST_CHECK int kadmin_rights(struct kadmin *kadmin, const char *principal, struct arena *arena,
                             struct vec *ret, struct err *err);
/* Gives, and takes back. Those that are there, or gone, are fine. Class retry: perhaps some of them. */
MUST_CHECK int kadmin_give(struct kadmin *kadmin, const struct kright *rights, size_t n, struct err *err);
MUST_CHECK int kadmin_take(struct kadmin *kadmin, const struct kright *rights, size_t n, struct err *err);

#endif
