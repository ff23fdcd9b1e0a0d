/* Followers of an instance's events: each gets what is stored from where it stopped, and then what comes. A
 * wake (something was committed here) or, for what other processes commit, a look every second while anybody
 * follows. */
#ifndef FAIRLEAD_COORDINATOR_FOLLOW_H
#define FAIRLEAD_COORDINATOR_FOLLOW_H

#include "base/uuid.h"
#include "coordinator/access.h"
#include "io/httpd.h"

struct follow *follow_start(const char *database_url, struct access *access, struct err *err);
void follow_stop(struct follow *follow); /* NULL is fine */
void follow_wake(struct follow *follow); /* any thread */
/* Tokens have ended, any thread: whose stream hangs on one of them is shown out. */
void follow_recheck(struct follow *follow);
/* Answers the request of `principal`, who reaches the instance, with a stream of its events above `after`. */
void follow_add(struct follow *follow, struct httpd_request *request, const struct principal *principal,
                struct uuid instance_id, int64_t after);

#endif
