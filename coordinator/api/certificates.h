/* Certificates of nodes (coordinator/authority.h): given when one enrols, and again and again afterwards. */
#ifndef FAIRLEAD_COORDINATOR_API_CERTIFICATES_H
#define FAIRLEAD_COORDINATOR_API_CERTIFICATES_H

#include "coordinator/api/api.h"

/* False: none can be given for this (NULL: nothing was asked for), and the caller was told. To be looked at
 * before anything is used up. */
bool certificate_may_be_asked(struct api_call *call, const char *request);
/* A certificate for a node, in its row; the chain is in the request's arena. The transaction is the caller's.
 */
MUST_CHECK int certificate_give(const struct api_call *call, struct pg *pg, struct uuid node,
                                int64_t enrolment, const char *request, const char **ret_chain,
                                struct err *err);

#endif
