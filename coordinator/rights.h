/* Who may do what with which topic and group of Kafka: it follows from our rows alone. A node reads its own
 * topic and the orders of its roles, and writes reports; one that was revoked may nothing, whatever else it
 * has. An agent reads the topics of its plane and of its customer's tenants, and no orders. The broker's
 * rights are made to be these: a node's when it enrols or is revoked, all of them at a sweep. */
#ifndef FAIRLEAD_COORDINATOR_RIGHTS_H
#define FAIRLEAD_COORDINATOR_RIGHTS_H

#include "base/uuid.h"
#include "io/kadmin.h"

/* As the authority names programs (deploy/dev/services/authority.sh). */
#define PROGRAM_COORDINATOR "coordinator"

struct rights_node {
    struct uuid id;
    int64_t enrolment; /* that counts; those before it may nothing */
    unsigned roles;
    bool revoked;
    struct uuid private_plane; /* nil: it is the provider's */
    const char *tenants;       /* topics of those whose documents it reads, with commas; "" or NULL: none */
};

/* Adds what a node, or our own programs, are to have. In the arena. */
void rights_of_node(const struct rights_node *node, struct arena *arena, struct vec *ret);
void rights_of_programs(struct arena *arena, struct vec *ret);

/* What must be given (`wanted` and not in `have`), and taken (in `have` and not wanted). Sorts both. */
void rights_compare(struct vec *wanted, struct vec *have, struct arena *arena, struct vec *ret_give,
                    struct vec *ret_take);

/* The broker's rights become `wanted`: of these principals only, or with n 0 of all nodes and our programs.
 * What forbids is given first, and nothing is taken before all is given. *ret_changes: how many. Class retry.
 */
MUST_CHECK int rights_enforce(struct kadmin *kadmin, struct vec *wanted, const char *const *principals,
                              size_t n, struct arena *arena, size_t *ret_changes, struct err *err);

#endif
