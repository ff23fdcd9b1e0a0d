#include "io/compose.h"

#include "base/clock.h"
#include "base/proc.h"

#include <pthread.h>
#include <stdio.h>

static const struct compose_driver drivers[] = {
    {.name = "v2",
     .probe = (const char *const[]){"docker", "compose", "version", NULL},
     .start = (const char *const[]){"docker", "compose", NULL}},
    {.name = "v1",
     .probe = (const char *const[]){"docker-compose", "version", NULL},
     .start = (const char *const[]){"docker-compose", "--no-ansi", NULL}},
};

static const struct compose_driver *chosen;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void choose(void) {
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers && !chosen; i++) {
        struct proc proc = {.argv = drivers[i].probe, .timeout_us = 20 * CLOCK_S};
        if (proc_run(&proc, NULL) == 0 && proc.status == 0)
            chosen = &drivers[i];
    }
}

const struct compose_driver *compose_driver(void) {
    pthread_mutex_lock(&mutex);
    if (!chosen) /* none is no answer for ever: it may be installed later, or was slow to answer */
        choose();
    const struct compose_driver *driver = chosen;
    pthread_mutex_unlock(&mutex);
    return driver;
}

#define STOP_S 4000 /* each service has its own stop_grace_period, of an hour at most */

static int run(const struct compose *compose, const char *const *args, int64_t limit_s, enum err_class cls,
               struct err *err) {
    char host[300];
    const struct compose_driver *driver = compose_driver();
    const char *argv[24];
    size_t n = 0;
    if (!driver)
        return err_set(err, ERR_PARK, "neither \"docker compose\" nor \"docker-compose\" is installed");
    for (const char *const *s = driver->start; *s; s++)
        argv[n++] = *s;
    argv[n++] = "-p";
    argv[n++] = compose->project;
    argv[n++] = "-f";
    argv[n++] = compose->file;
    while (*args && n < 23)
        argv[n++] = *args++;
    argv[n] = NULL;
    (void)snprintf(host, sizeof host, "DOCKER_HOST=unix://%s", compose->engine_socket);
    const char *const env[] = {host, "COMPOSE_HTTP_TIMEOUT=600", NULL};
    struct proc proc = {.argv = argv,
                        .env = env,
                        .timeout_us = limit_s * CLOCK_S,
                        .cancel = compose->cancel,
                        .log = compose->log};
    return proc_check(&proc, cls, err);
}

int compose_check(const struct compose *compose, struct err *err) {
    return run(compose, (const char *const[]){"config", "-q", NULL}, 60, ERR_PARK, err);
}

int compose_up(const struct compose *compose, struct err *err) {
    return run(compose, (const char *const[]){"up", "-d", "--remove-orphans", NULL}, 900, ERR_RETRY, err);
}

int compose_down(const struct compose *compose, bool volumes, struct err *err) {
    return run(compose, (const char *const[]){"down", "--remove-orphans", volumes ? "-v" : NULL, NULL},
               STOP_S, ERR_RETRY, err);
}
