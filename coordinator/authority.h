/* Our certificate authority. A folder holds it: root.pem, which everybody trusts, with root.key, which is
 * needed only to make an issuing key and belongs in a safe; issuing.key and issuing.pem, which sign the
 * certificates of nodes and programs; and NAME.pem (key and chain) of each program that `issue` made.
 *
 * Subjects are ours to choose: O=nodes, CN=node.<id>.<enrolment> for a node, O=programs, CN=<name> for a
 * program. Kafka knows its principals by these names (deploy/dev/services/kafka.sh). */
#ifndef FAIRLEAD_COORDINATOR_AUTHORITY_H
#define FAIRLEAD_COORDINATOR_AUTHORITY_H

#include "base/err.h"
#include "base/uuid.h"
#include "io/cert.h"

#define AUTHORITY_NODES "nodes"
#define AUTHORITY_PROGRAMS "programs"
#define PRINCIPAL_NODE "node." /* how those of nodes begin */
#define PRINCIPAL_SIZE 64

/* ---- by hand ---- */

/* Makes what is missing of it: root, issuing key; an issuing certificate of which a third is left or less is
 * made anew, where root.key is there. Prints what was done, and what to do next. Class park. */
MUST_CHECK int authority_make(const char *folder, struct err *err);
/* FOLDER/NAME.pem for a program: a client, and a server where `hosts` (NULL-ended) has any. A year. Class
 * park. */
MUST_CHECK int authority_issue(const char *folder, const char *name, char *const *hosts, struct err *err);

/* ---- for nodes ---- */

struct authority;
/* `folder` "": none, NULL without an error. Class park: it cannot be read, or is about to end. */
MUST_CHECK int authority_open(const char *folder, int64_t life_us, struct authority **ret, struct err *err);
void authority_close(struct authority *authority); /* NULL is fine */
const char *authority_root(const struct authority *authority);
int64_t authority_life_us(const struct authority *authority);
/* As Kafka calls a node: "node.<id>.<enrolment>". */
char *authority_principal(struct uuid node, int64_t enrolment, char out[PRINCIPAL_SIZE]);
/* A chain for that node, from now on. Any thread. Class dead: the request is not good. */
MUST_CHECK int authority_certify(const struct authority *authority, struct uuid node, int64_t enrolment,
                                 const char *request, int64_t now_us, char **ret,
                                 struct cert_facts *ret_facts, struct err *err);

#endif
