#include "io/httpd_visitors.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <utlist.h>

#define IDLE_US (60 * CLOCK_S) /* between two requests of one connection */

struct visitor {
    int fd;
    struct in_addr address;
    bool known;
    int64_t until; /* something whole must have come; CLOCK_NEVER: it waits for our answer */
    struct visitor *prev, *next;
};

struct visitors {
    struct visitors_conf conf;
    struct loop *loop;
    pthread_mutex_t mutex;
    struct visitor *all; /* in the order in which they came */
    unsigned unknown;
    int64_t soonest; /* at which the loop looks again; CLOCK_NEVER: when it is told to */
};

static struct in_addr address_of(const struct sockaddr *from) {
    return from && from->sa_family == AF_INET ? ((const struct sockaddr_in *)(const void *)from)->sin_addr
                                              : (struct in_addr){0};
}

bool visitors_may_come(struct visitors *visitors, const struct sockaddr *from) {
    struct in_addr address = address_of(from);
    struct visitor *visitor;
    unsigned n = 0;
    if (address.s_addr == visitors->conf.exempt.s_addr || address.s_addr == htonl(INADDR_LOOPBACK))
        return true;
    pthread_mutex_lock(&visitors->mutex);
    DL_FOREACH(visitors->all, visitor) {
        n += visitor->address.s_addr == address.s_addr;
    }
    pthread_mutex_unlock(&visitors->mutex);
    return n < visitors->conf.per_address;
}

/* With the mutex held. The thread is woken only where it would come too late. */
static void set_until(struct visitors *visitors, struct visitor *visitor, int64_t until) {
    visitor->until = until;
    if (until >= visitors->soonest)
        return;
    visitors->soonest = until;
    loop_wake(visitors->loop);
}

/* Its server finds the connection closed, and takes it away. With the mutex held: until visitor_remove() the
 * descriptor is this connection's. */
static void end(struct visitor *visitor) {
    (void)shutdown(visitor->fd, SHUT_RDWR);
    visitor->until = CLOCK_NEVER;
}

static void make_room(struct visitors *visitors) {
    struct visitor *visitor;
    DL_FOREACH(visitors->all, visitor) {
        if (!visitor->known && visitor->until != CLOCK_NEVER) {
            end(visitor);
            return;
        }
    }
}

struct visitor *visitor_add(struct visitors *visitors, int fd, const struct sockaddr *from) {
    struct visitor *visitor = mem_alloc(sizeof *visitor);
    *visitor = (struct visitor){.fd = fd, .address = address_of(from)};
    pthread_mutex_lock(&visitors->mutex);
    if (++visitors->unknown > visitors->conf.places / 4 * 3)
        make_room(visitors);
    DL_APPEND(visitors->all, visitor);
    set_until(visitors, visitor, clock_mono_us() + visitors->conf.request_s * CLOCK_S);
    pthread_mutex_unlock(&visitors->mutex);
    return visitor;
}

void visitor_remove(struct visitors *visitors, struct visitor *visitor) {
    pthread_mutex_lock(&visitors->mutex);
    DL_DELETE(visitors->all, visitor);
    visitors->unknown -= !visitor->known;
    pthread_mutex_unlock(&visitors->mutex);
    free(visitor);
}

static void wait_until(struct visitors *visitors, struct visitor *visitor, int64_t until) {
    pthread_mutex_lock(&visitors->mutex);
    set_until(visitors, visitor, until);
    pthread_mutex_unlock(&visitors->mutex);
}

void visitor_begins(struct visitors *visitors, struct visitor *visitor) {
    int64_t until = clock_mono_us() + visitors->conf.request_s * CLOCK_S;
    pthread_mutex_lock(&visitors->mutex);
    /* The first request's time runs since the connection was made. */
    if (visitor->until > until)
        set_until(visitors, visitor, until);
    pthread_mutex_unlock(&visitors->mutex);
}

void visitor_is_known(struct visitors *visitors, struct visitor *visitor) {
    pthread_mutex_lock(&visitors->mutex);
    visitors->unknown -= !visitor->known;
    visitor->known = true;
    pthread_mutex_unlock(&visitors->mutex);
}

void visitor_has_asked(struct visitors *visitors, struct visitor *visitor) {
    wait_until(visitors, visitor, CLOCK_NEVER);
}

void visitor_is_idle(struct visitors *visitors, struct visitor *visitor) {
    wait_until(visitors, visitor, clock_mono_us() + IDLE_US);
}

static int64_t turn(const struct loop *loop, void *arg) {
    struct visitors *visitors = arg;
    struct visitor *visitor;
    int64_t now = clock_mono_us();
    (void)loop;
    pthread_mutex_lock(&visitors->mutex);
    visitors->soonest = CLOCK_NEVER;
    DL_FOREACH(visitors->all, visitor) {
        if (visitor->until <= now)
            end(visitor);
        if (visitor->until < visitors->soonest)
            visitors->soonest = visitor->until;
    }
    int64_t soonest = visitors->soonest;
    pthread_mutex_unlock(&visitors->mutex);
    return soonest == CLOCK_NEVER ? LOOP_IDLE : soonest - now;
}

struct visitors *visitors_start(const struct visitors_conf *conf) {
    struct visitors *visitors = mem_alloc(sizeof *visitors);
    visitors->conf = *conf;
    pthread_mutex_init(&visitors->mutex, NULL);
    visitors->soonest = CLOCK_NEVER;
    struct err ignored;
    visitors->loop = loop_start(turn, visitors, &ignored);
    if (visitors->loop)
        return visitors;
    free(visitors);
    return NULL;
}

void visitors_stop(struct visitors *visitors) {
    if (!visitors)
        return;
    loop_stop(visitors->loop);
    pthread_mutex_destroy(&visitors->mutex);
    free(visitors);
}
