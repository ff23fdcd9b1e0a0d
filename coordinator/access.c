#include "coordinator/access.h"

#include "base/clock.h"
#include "base/log.h"
#include "io/pg.h"
#include "sql/queries.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <uthash.h>

#define RETRY_US (200 * 1000)
#define USED_US (30 * CLOCK_S) /* between two writes of when tokens were used */

/* A token, and what it opens. */
struct known {
    struct hash hash;
    struct principal principal; /* its texts are the row's own */
    bool by_cookie;
    int64_t used_at, written_at; /* wall clock; 0: never */
    UT_hash_handle hh;
};

struct role {
    char name[24];
    unsigned scopes;
};

struct access {
    struct access_conf conf;
    pthread_t thread;
    pthread_mutex_t mutex; /* of what is known */
    pthread_cond_t learned;
    void (*changed)(void *arg); /* who is told; NULL: nobody yet */
    void *changed_arg;
    struct known *known;
    struct vec roles; /* struct role, in `arena` */
    struct arena arena;
    bool ready;
    int wake_fd;
    atomic_bool stopping;
    struct pg *pg;      /* the thread's, as all below: it listens */
    struct pg *used_pg; /* ... and writes elsewhere: a lock must not keep it from hearing */
    struct vec heard;   /* struct uuid: members of whom something changed */
    struct arena heard_in;
    bool heard_all, adopted; /* adopted: the file's token has a row */
    int64_t used_written;
};

static void free_known(struct known *known) {
    free((void *)(uintptr_t)known->principal.name);
    free((void *)(uintptr_t)known->principal.role);
    free(known);
}

/* Of these members; all where there is none. */
static void forget(struct access *access, const struct uuid *members, size_t n) {
    struct known *known, *next;
    HASH_ITER(hh, access->known, known, next) {
        bool is_theirs = n == 0;
        for (size_t i = 0; i < n && !is_theirs; i++)
            is_theirs = uuid_eq(members[i], known->principal.id);
        if (!is_theirs)
            continue;
        HASH_DEL(access->known, known);
        free_known(known);
    }
}

static void learn(struct access *access, PGresult *res, int row) {
    struct known *known = mem_alloc(sizeof *known), *old;
    memcpy(known->hash.b, PQgetvalue(res, row, 1), HASH_SIZE);
    known->by_cookie = pg_bool(res, row, 11);
    unsigned role = scope_bits(pg_text(res, row, 8)),
             own = PQgetisnull(res, row, 9) ? SCOPES_ALL : scope_bits(pg_text(res, row, 9));
    known->principal = (struct principal){
        .id = pg_uuid(res, row, 2),
        .credential_id = pg_uuid(res, row, 0),
        .name = mem_strdup(pg_text(res, row, 3)),
        .role = mem_strdup(pg_text(res, row, 4)),
        .reach = {pg_uuid(res, row, 5), pg_uuid(res, row, 6), pg_uuid(res, row, 7)},
        .expires_at = pg_time(res, row, 10),
        .is_session = pg_bool(res, row, 12),
        .scopes = role & own,
    };
    HASH_FIND(hh, access->known, &known->hash, sizeof known->hash, old);
    if (old) {
        HASH_DEL(access->known, old);
        free_known(old);
    }
    HASH_ADD(hh, access->known, hash, sizeof known->hash, known);
}

static void learn_roles(struct access *access, PGresult *res) {
    arena_release(&access->arena);
    access->roles = (struct vec){0};
    for (int row = 0; row < PQntuples(res); row++) {
        struct role *role = vec_add(&access->arena, &access->roles, struct role);
        (void)snprintf(role->name, sizeof role->name, "%s", pg_text(res, row, 0));
        role->scopes = scope_bits(pg_text(res, row, 1));
    }
}

/* Tokens of these members; of all where there is none. */
static int load(struct access *access, const struct uuid *members, size_t n, struct err *err) {
    struct arena arena = {0};
    struct pg_params params = {.arena = &arena};
    pg_params_uuids(&params, members, n);
    cleanup_result PGresult *res = pg_run(access->pg, query_access_load, &params, err);
    cleanup_result PGresult *roles = res ? pg_run(access->pg, query_access_roles, NULL, err) : NULL;
    arena_release(&arena);
    if (!roles)
        return -1;
    pthread_mutex_lock(&access->mutex);
    forget(access, members, n);
    for (int row = 0; row < PQntuples(res); row++)
        learn(access, res, row);
    learn_roles(access, roles);
    access->ready = true;
    pthread_cond_broadcast(&access->learned);
    void (*changed)(void *arg) = access->changed;
    void *arg = access->changed_arg;
    pthread_mutex_unlock(&access->mutex);
    if (changed)
        changed(arg);
    return 0;
}

static int adopt_file_token(struct access *access, struct err *err) {
    struct arena arena = {0};
    struct pg_params params = {.arena = &arena};
    if (!*access->conf.file_hint || access->adopted || !pg_takes_writes(access->pg))
        return 0;
    pg_params_uuid(&params, uuid_make(clock_wall_us()));
    pg_params_bytes(&params, access->conf.file_token.b, HASH_SIZE);
    pg_params_text(&params, access->conf.file_hint);
    PGresult *res = pg_run(access->pg, query_access_adopt, &params, err);
    PQclear(res);
    arena_release(&arena);
    access->adopted = res != NULL;
    return res ? 0 : -1;
}

/* Listening comes first: what changes while all is read is heard. */
static int begin(struct access *access, struct err *err) {
    access->pg = pg_open_any(access->conf.database_url, "statement_timeout=10s", err);
    if (!access->pg || pg_script(access->pg, "listen fairlead_access", err) < 0)
        return -1;
    if (adopt_file_token(access, err) < 0)
        return -1;
    return load(access, NULL, 0, err);
}

static void hear(void *arg, const char *said) {
    struct access *access = arg;
    struct uuid id;
    if (uuid_parse(said, &id))
        *vec_add(&access->heard_in, &access->heard, struct uuid) = id;
    else
        access->heard_all = true;
}

static int take_heard(struct access *access, struct err *err) {
    int rc = 0;
    if (access->heard_all)
        rc = load(access, NULL, 0, err);
    else if (access->heard.n)
        rc = load(access, access->heard.items, access->heard.n, err);
    access->heard_all = false;
    access->heard = (struct vec){0};
    arena_release(&access->heard_in);
    return rc;
}

/* A token shows when it was last used, to half a minute; where somebody holds its row, the next time. */
static void write_used(struct access *access) {
    struct arena arena = {0};
    struct vec ids = {0}, times = {0};
    struct pg_params params = {.arena = &arena};
    struct known *known, *next;
    struct err err = {0};
    if (clock_mono_us() - access->used_written < USED_US || !pg_takes_writes(access->pg))
        return;
    access->used_written = clock_mono_us();
    pthread_mutex_lock(&access->mutex);
    HASH_ITER(hh, access->known, known, next) {
        if (known->used_at <= known->written_at)
            continue;
        *vec_add(&arena, &ids, struct uuid) = known->principal.credential_id;
        *vec_add(&arena, &times, int64_t) = known->written_at = known->used_at;
    }
    pthread_mutex_unlock(&access->mutex);
    if (ids.n && !pg_is_usable(access->used_pg)) {
        pg_close(access->used_pg);
        access->used_pg = pg_open(access->conf.database_url, "statement_timeout=1s", &err);
    }
    pg_params_uuids(&params, ids.items, ids.n);
    pg_params_ints(&params, times.items, times.n);
    PGresult *res =
        ids.n && access->used_pg ? pg_run(access->used_pg, query_access_used, &params, &err) : NULL;
    if (ids.n && !res)
        log_warn("when tokens were used is not written", LOG_S("error", err.text));
    PQclear(res);
    arena_release(&arena);
}

static void *run(void *arg) {
    struct access *access = arg;
    while (!access->stopping) {
        struct err err = {0};
        int rc = 0;
        if (!pg_is_usable(access->pg)) {
            pg_close(access->pg);
            access->pg = NULL;
            rc = begin(access, &err);
        }
        if (rc == 0) {
            (void)pg_hear(access->pg, USED_US, access->wake_fd, hear, access);
            rc = take_heard(access, &err);
            if (rc == 0) /* a database that took no writes takes them: its own row tells us of the token */
                rc = adopt_file_token(access, &err);
            if (rc == 0)
                write_used(access);
        }
        if (rc == 0 || access->stopping)
            continue;
        log_warn("what tokens there are cannot be read", LOG_S("error", err.text));
        pg_close(mem_steal(access->pg));
        (void)usleep(RETRY_US);
    }
    return NULL;
}

static bool is_in_time(const struct known *known, int64_t now) {
    return !known->principal.expires_at || known->principal.expires_at > now;
}

void access_csrf(const char *token, char out[HASH_HEX_SIZE]) {
    (void)hash_hex(hash_texts((const char *const[]){"csrf", token, NULL}), out);
}

enum access_answer access_find(struct access *access, const char *token, bool by_cookie, struct arena *arena,
                               struct principal **ret) {
    struct hash hash = hash_of(token, strlen(token));
    struct known *known;
    int64_t now = clock_wall_us();
    pthread_mutex_lock(&access->mutex);
    HASH_FIND(hh, access->known, &hash, sizeof hash, known);
    bool good = known && known->by_cookie == by_cookie && is_in_time(known, now), ready = access->ready;
    if (good) {
        known->used_at = now;
        *ret = arena_new(arena, struct principal);
        **ret = known->principal;
        (*ret)->name = arena_strdup(arena, known->principal.name);
        (*ret)->role = arena_strdup(arena, known->principal.role);
    }
    pthread_mutex_unlock(&access->mutex);
    if (good && by_cookie) {
        char csrf[HASH_HEX_SIZE];
        access_csrf(token, csrf);
        (*ret)->csrf = arena_strdup(arena, csrf);
    }
    return good ? ACCESS_KNOWN : ready ? ACCESS_UNKNOWN : ACCESS_NOT_READY;
}

bool access_is_ready(struct access *access) {
    pthread_mutex_lock(&access->mutex);
    bool ready = access->ready;
    pthread_mutex_unlock(&access->mutex);
    return ready;
}

/* With the mutex held. */
static bool is_known(struct access *access, struct uuid credential_id) {
    struct known *known, *next;
    HASH_ITER(hh, access->known, known, next)
    if (uuid_eq(known->principal.credential_id, credential_id))
        return is_in_time(known, clock_wall_us());
    return false;
}

bool access_is_good(struct access *access, struct uuid credential_id) {
    pthread_mutex_lock(&access->mutex);
    bool good = is_known(access, credential_id);
    pthread_mutex_unlock(&access->mutex);
    return good;
}

void access_await(struct access *access, struct uuid credential_id) {
    struct timespec until = clock_mono_timespec(clock_mono_us() + CLOCK_S);
    pthread_mutex_lock(&access->mutex);
    while (!is_known(access, credential_id))
        if (pthread_cond_clockwait(&access->learned, &access->mutex, CLOCK_MONOTONIC, &until) != 0)
            break;
    pthread_mutex_unlock(&access->mutex);
}

const char *access_roles_with(struct access *access, int scope, struct arena *arena) {
    cleanup_str struct str out = STR_INIT(400);
    pthread_mutex_lock(&access->mutex);
    for (size_t i = 0; i < access->roles.n; i++) {
        const struct role *role = vec_at(&access->roles, struct role, i);
        if (role->scopes & 1u << scope)
            str_addf(&out, "%s%s", out.n ? ", " : "", role->name);
    }
    pthread_mutex_unlock(&access->mutex);
    return arena_strdup(arena, str_text(&out));
}

struct access *access_start(const struct access_conf *conf, struct err *err) {
    struct access *access = mem_alloc(sizeof *access);
    access->conf = *conf;
    access->used_written = clock_mono_us();
    access->wake_fd = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&access->mutex, NULL);
    pthread_cond_init(&access->learned, NULL);
    struct err away = {0}; /* the thread goes on trying, and says so */
    if (begin(access, &away) < 0)
        pg_close(mem_steal(access->pg));
    if (access->wake_fd >= 0 && pthread_create(&access->thread, NULL, run, access) == 0)
        return access;
    (void)err_errno(err, ERR_RETRY, "cannot start a thread");
    access_free(access);
    return NULL;
}

void access_tell(struct access *access, void (*changed)(void *arg), void *arg) {
    pthread_mutex_lock(&access->mutex);
    access->changed = changed;
    access->changed_arg = arg;
    pthread_mutex_unlock(&access->mutex);
}

void access_stop(struct access *access) {
    if (!access)
        return;
    access->stopping = true;
    (void)eventfd_write(access->wake_fd, 1);
    pthread_join(access->thread, NULL);
}

void access_free(struct access *access) {
    if (!access)
        return;
    forget(access, NULL, 0);
    pg_close(access->pg);
    pg_close(access->used_pg);
    arena_release(&access->arena);
    (void)close(access->wake_fd);
    pthread_cond_destroy(&access->learned);
    pthread_mutex_destroy(&access->mutex);
    free(access);
}
