/* Redis by hiredis: what may be lost at any time. One connection, made when it is needed and made anew after
 * an error, at most once a second; every call is short (0.3 s) and says whether it worked. On a unix socket
 * or on loopback only: hiredis here knows no TLS. Not safe between threads. */
#ifndef FAIRLEAD_IO_REDIS_H
#define FAIRLEAD_IO_REDIS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* `at` is the path of a unix socket, or 127.x.x.x:PORT. Never fails: the first call finds out. */
struct redis *redis_open(const char *at);
void redis_close(struct redis *redis); /* NULL is fine */

/* All: class retry when Redis is away, says no, or answers something else than it was asked for. */
MUST_CHECK int redis_set(struct redis *redis, const char *key, const char *value, int ttl_s, struct err *err);
/* *ret is NULL when there is no such key; the caller frees it. */
MUST_CHECK int redis_get(struct redis *redis, const char *key, char **ret, struct err *err);
/* One more; the first sets the time after which the key goes. *ret is what it is now. */
MUST_CHECK int redis_count(struct redis *redis, const char *key, int ttl_s, int64_t *ret, struct err *err);
MUST_CHECK int redis_delete(struct redis *redis, const char *key, struct err *err);
MUST_CHECK int redis_ping(struct redis *redis, struct err *err);

#endif
