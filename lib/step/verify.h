/* F7: is an instance itself, seen from outside? Fetched as a stranger would, and judged by what comes back:
 * the authoritative server is asked and its answer pinned (otherwise nothing is proved about DNS), then the
 * proxy, then the app. All expectations of the release must hold, the app's own identity must be on every
 * answer, and on the path that needs its data store.
 *
 * Codes of a refusal: dns_unreachable, wrong_address, wrong_marker, unreachable (nobody answers at the edge),
 * no_connection (the edge answers, and cannot connect to the app), no_answer (it connects, and the app says
 * nothing), wrong_identity (another's, or more than one), no_identity (the header is missing),
 * wrong_answer, no_contract. */
#ifndef FAIRLEAD_STEP_VERIFY_H
#define FAIRLEAD_STEP_VERIFY_H

#include "base/err.h"
#include "base/mem.h"
#include "proto/fairlead.pb-c.h"

/* Whom to ask about names: ADDRESS:PORT of the authoritative server, and its zone. */
struct verify_dns {
    const char *server, *zone;
};

/* 0: it is itself. Class retry, with a code; park only without a contract. Takes at most a minute. */
MUST_CHECK int verify_instance(const struct verify_dns *dns, const Fairlead__V1__Probe *probe,
                               struct arena *arena, const char **ret_code, struct err *err);

#endif
