#include "io/redis.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 65536

struct redis {
    char at[256];
    redisContext *context;
    int64_t tried_at;
};

struct redis *redis_open(const char *at) {
    struct redis *redis = mem_alloc(sizeof *redis);
    (void)snprintf(redis->at, sizeof redis->at, "%s", at);
    return redis;
}

static void drop(struct redis *redis) {
    if (redis->context)
        redisFree(redis->context);
    redis->context = NULL;
}

void redis_close(struct redis *redis) {
    if (!redis)
        return;
    drop(redis);
    free(redis);
}

static int ensure(struct redis *redis, struct err *err) {
    const struct timeval limit = {.tv_usec = 300000};
    char host[64];
    int64_t port, now = clock_mono_us();
    const char *colon = strrchr(redis->at, ':');
    if (redis->context && !redis->context->err)
        return 0;
    drop(redis);
    if (redis->tried_at && now - redis->tried_at < CLOCK_S)
        return err_set(err, ERR_RETRY, "redis at \"%s\" was away a moment ago", redis->at);
    redis->tried_at = now;
    if (redis->at[0] == '/') {
        redis->context = redisConnectUnixWithTimeout(redis->at, limit);
    } else {
        if (!colon || !str_starts(redis->at, "127.") || !str_to_int(colon + 1, 1, 65535, &port))
            return err_set(err, ERR_RETRY, "redis \"%s\" is neither a unix socket nor on loopback",
                           redis->at);
        (void)snprintf(host, sizeof host, "%.*s", (int)(colon - redis->at), redis->at);
        redis->context = redisConnectWithTimeout(host, (int)port, limit);
    }
    if (!redis->context || redis->context->err || redisSetTimeout(redis->context, limit) != REDIS_OK) {
        (void)err_set(err, ERR_RETRY, "redis at \"%s\": %s", redis->at,
                      redis->context ? redis->context->errstr : "no memory");
        drop(redis);
        return -1;
    }
    return 0;
}

#define STATUS_OR_NIL (-1)

/* An answer of the kind that is wanted, or of nil; whatever else came is an error, and the connection goes.
 */
static redisReply *ask(struct redis *redis, int wanted, struct err *err, const char *fmt, ...) {
    va_list ap;
    if (ensure(redis, err) < 0)
        return NULL;
    va_start(ap, fmt);
    redisReply *reply = redisvCommand(redis->context, fmt, ap);
    va_end(ap);
    bool nil =
        reply && reply->type == REDIS_REPLY_NIL && (wanted == REDIS_REPLY_STRING || wanted == STATUS_OR_NIL);
    if (reply && (reply->type == (wanted == STATUS_OR_NIL ? REDIS_REPLY_STATUS : wanted) || nil))
        return reply;
    (void)err_set(err, ERR_RETRY, "redis at \"%s\": %.200s", redis->at,
                  !reply                             ? redis->context->errstr
                  : reply->type == REDIS_REPLY_ERROR ? reply->str
                                                     : "an answer of another kind");
    if (!reply || reply->type != REDIS_REPLY_ERROR)
        drop(redis);
    if (reply)
        freeReplyObject(reply);
    return NULL;
}

int redis_set(struct redis *redis, const char *key, const char *value, int ttl_s, struct err *err) {
    redisReply *reply = ask(redis, REDIS_REPLY_STATUS, err, "SET %s %s EX %d", key, value, ttl_s);
    if (reply)
        freeReplyObject(reply);
    return reply ? 0 : -1;
}

int redis_get(struct redis *redis, const char *key, char **ret, struct err *err) {
    redisReply *reply = ask(redis, REDIS_REPLY_STRING, err, "GET %s", key);
    if (!reply)
        return -1;
    *ret = NULL;
    int rc = 0;
    if (reply->type == REDIS_REPLY_STRING && (size_t)reply->len > VALUE_MAX)
        rc = err_set(err, ERR_RETRY, "redis: the value of \"%s\" is too long", key);
    else if (reply->type == REDIS_REPLY_STRING)
        *ret = mem_strdup(reply->str);
    freeReplyObject(reply);
    return rc;
}

int redis_count(struct redis *redis, const char *key, int ttl_s, int64_t *ret, struct err *err) {
    redisReply *made = ask(redis, STATUS_OR_NIL, err, "SET %s 0 EX %d NX", key, ttl_s);
    if (!made)
        return -1;
    freeReplyObject(made);
    redisReply *reply = ask(redis, REDIS_REPLY_INTEGER, err, "INCR %s", key);
    if (!reply)
        return -1;
    *ret = reply->integer;
    freeReplyObject(reply);
    return 0;
}

int redis_delete(struct redis *redis, const char *key, struct err *err) {
    redisReply *reply = ask(redis, REDIS_REPLY_INTEGER, err, "DEL %s", key);
    if (reply)
        freeReplyObject(reply);
    return reply ? 0 : -1;
}

int redis_ping(struct redis *redis, struct err *err) {
    redisReply *reply = ask(redis, REDIS_REPLY_STATUS, err, "PING");
    if (reply)
        freeReplyObject(reply);
    return reply ? 0 : -1;
}
