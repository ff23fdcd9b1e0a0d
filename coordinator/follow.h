/* Followers of an instance's events: each gets what is stored from where it stopped, and then what comes. A
 * wake (something was committed here) or, for what other processes commit, a look every second while anybody
 * follows. */
#ifndef FAIRLEAD_COORDINATOR_FOLLOW_H
#define FAIRLEAD_COORDINATOR_FOLLOW_H

#include "base/uuid.h"
#include "io/httpd.h"

struct follow *follow_start(const char *database_url, struct err *err);
void follow_stop(struct follow *follow); /* NULL is fine */
void follow_wake(struct follow *follow); /* any thread */
/* Answers the request with a stream of the instance's events with a sequence above `after`. */
void follow_add(struct follow *follow, struct httpd_request *request, struct uuid instance_id, int64_t after);

#endif
