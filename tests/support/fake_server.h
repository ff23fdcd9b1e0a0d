/* A server that is none: on a unix socket of its own it gives every caller the same bytes, then hangs up. For
 * tests of what a client makes of answers that no real service gives. */
#ifndef FAIRLEAD_TESTS_FAKE_SERVER_H
#define FAIRLEAD_TESTS_FAKE_SERVER_H

#include "tests/support/check.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct fake_server {
    struct sockaddr_un at; /* its path: at.sun_path */
    int fd;
    const char *answer;
    size_t n;
    pthread_t thread;
};

static void *fake_serve(void *arg) {
    const struct fake_server *fake = arg;
    for (;;) {
        char buf[4096];
        int client = accept(fake->fd, NULL, NULL);
        if (client < 0)
            return NULL;
        if (read(client, buf, sizeof buf) > 0)
            (void)!write(client, fake->answer, fake->n);
        (void)close(client);
    }
}

static void fake_start(struct fake_server *fake, const char *answer, size_t n) {
    *fake = (struct fake_server){
        .at.sun_family = AF_UNIX, .fd = socket(AF_UNIX, SOCK_STREAM, 0), .answer = answer, .n = n};
    (void)snprintf(fake->at.sun_path, sizeof fake->at.sun_path, "/tmp/fairlead-fake-%d", (int)getpid());
    (void)unlink(fake->at.sun_path);
    assert_int_equal(bind(fake->fd, (struct sockaddr *)&fake->at, sizeof fake->at), 0);
    assert_int_equal(listen(fake->fd, 4), 0);
    assert_int_equal(pthread_create(&fake->thread, NULL, fake_serve, fake), 0);
}

static void fake_stop(struct fake_server *fake) {
    (void)shutdown(fake->fd, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    (void)close(fake->fd);
    (void)unlink(fake->at.sun_path);
}

#endif
