/* How often something was tried of late, so that guessing is slow: counted in Redis, which all coordinators
 * share; and here, for while Redis is away or has forgotten. Any thread. */
#ifndef FAIRLEAD_COORDINATOR_LIMITS_H
#define FAIRLEAD_COORDINATOR_LIMITS_H

#include "base/hash.h"

struct limits;
struct limits *limits_open(const char *redis); /* "": none */
void limits_close(struct limits *limits);      /* NULL is fine */

/* How often `what` was counted within its time. */
int limits_look(struct limits *limits, const char *what);
/* Once more, for so many seconds from the first. */
void limits_count(struct limits *limits, const char *what, int seconds);
void limits_forget(struct limits *limits, const char *what);

#endif
