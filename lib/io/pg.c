#include "io/pg.h"

#include "base/str.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

/* A statement that this connection has prepared, by the address of its text: embedded texts live as long as
 * the program. PREPARING until the server has said so: a pipeline that aborts never did it. */
struct pg_prepared {
    const char *query;
    bool ready;
    UT_hash_handle hh;
};

enum { KIND_PREPARE = 1, KIND_STATEMENT, KIND_SYNC };

/* What was sent in a pipeline, so that its results are told apart. */
struct pg_sent {
    char kind;
    struct pg_prepared *prepare; /* the statement that a PREPARE makes */
};

static void set_code(struct err *err, const char *code) {
    if (err)
        (void)snprintf(err->code, sizeof err->code, "%s", code);
}

static void connection_error(struct pg *pg, struct err *err) {
    const char *text = PQerrorMessage(pg->conn);
    (void)err_set(err, ERR_RETRY, "database: %.*s", (int)strcspn(text, "\n"), text);
    /* libpq has no code for a server that target_session_attrs passes over. */
    set_code(err, strstr(text, "session is read-only") || strstr(text, "in hot standby mode") ? PG_READ_ONLY
                                                                                              : PG_AWAY);
}

static enum err_class class_of(const char *sqlstate) {
    if (!sqlstate)
        return ERR_RETRY;
    if (str_starts(sqlstate, "22") || str_starts(sqlstate, "23") || strcmp(sqlstate, "P0001") == 0)
        return ERR_PARK;
    if (str_starts(sqlstate, "08") || str_starts(sqlstate, "40") || str_starts(sqlstate, "53") ||
        str_starts(sqlstate, "55") || str_starts(sqlstate, "57") || str_starts(sqlstate, "58") ||
        str_starts(sqlstate, "25"))
        return ERR_RETRY;
    return ERR_BUG;
}

static void result_error(struct pg *pg, PGresult *res, struct err *err) {
    const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    if (PQresultStatus(res) == PGRES_PIPELINE_ABORTED)
        text = "an earlier statement of the pipeline failed";
    pg->gone = pg->gone || str_eq(sqlstate, PG_READ_ONLY);
    (void)err_set(err, class_of(sqlstate), "database: %s%s%s", text ? text : PQerrorMessage(pg->conn),
                  sqlstate ? " " : "", sqlstate ? sqlstate : "");
    set_code(err, sqlstate ? sqlstate : "");
}

static void no_notice(void *arg, const PGresult *res) {
    (void)arg, (void)res;
}

static struct pg *open_with(const char *url, const char *user, const char *settings, const char *attrs,
                            struct err *err) {
    struct pg *pg = mem_alloc(sizeof *pg);
    cleanup_str struct str options = STR_INIT(2048);
    for (const char *s = settings ? settings : ""; *s;) {
        size_t n = strcspn(s, " ");
        str_addf(&options, "-c %.*s ", (int)n, s);
        s += n + (s[n] == ' ');
    }
    const char *const pairs[][2] = {
        {"dbname", url},
        {"options", str_text(&options)},
        {"keepalives_idle", "5"},
        {"keepalives_interval", "2"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", "8000"},
        {"client_encoding", "UTF8"},
        {"connect_timeout", "5"},
        {"target_session_attrs", attrs},
        {user ? "user" : NULL, user},
    };
    const char *keys[sizeof pairs / sizeof *pairs + 1] = {0}, *values[sizeof pairs / sizeof *pairs + 1] = {0};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        keys[i] = pairs[i][0];
        values[i] = pairs[i][1];
    }
    pg->conn = PQconnectdbParams(keys, values, 1);
    if (!pg->conn)
        abort();
    PQsetNoticeReceiver(pg->conn, no_notice, NULL);
    if (PQstatus(pg->conn) == CONNECTION_OK)
        return pg;
    connection_error(pg, err);
    pg_close(pg);
    return NULL;
}

struct pg *pg_open(const char *url, const char *settings, struct err *err) {
    return open_with(url, NULL, settings, "read-write", err);
}

struct pg *pg_open_any_as(const char *url, const char *user, const char *settings, struct err *err) {
    struct pg *pg = open_with(url, user, settings, "read-write", err);
    return pg ? pg : open_with(url, user, settings, "any", err);
}

struct pg *pg_open_any(const char *url, const char *settings, struct err *err) {
    return pg_open_any_as(url, NULL, settings, err);
}

void pg_close(struct pg *pg) {
    if (!pg)
        return;
    struct pg_prepared *p, *next;
    HASH_ITER(hh, pg->prepared, p, next) {
        HASH_DEL(pg->prepared, p);
        free(p);
    }
    PQfinish(pg->conn);
    free(pg->sent);
    free(pg);
}

bool pg_is_usable(struct pg *pg) {
    /* Twice: the first reads its last words, the second that it has hung up. */
    return pg && !pg->gone && PQconsumeInput(pg->conn) && PQconsumeInput(pg->conn) &&
           PQstatus(pg->conn) == CONNECTION_OK;
}

static bool is_off(const struct pg *pg, const char *setting) {
    const char *value = PQparameterStatus(pg->conn, setting);
    return !value || strcmp(value, "off") == 0;
}

bool pg_takes_writes(const struct pg *pg) {
    return !pg->gone && is_off(pg, "default_transaction_read_only") && is_off(pg, "in_hot_standby");
}

static const struct pg_params no_params;
static const int binary_formats[PG_PARAMS_MAX] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                                  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static void statement_name(const char *query, char name[24]) {
    (void)snprintf(name, 24, "q%zx", (size_t)(uintptr_t)query);
}

static struct pg_prepared *find_prepared(struct pg *pg, const char *query) {
    struct pg_prepared *p;
    HASH_FIND_PTR(pg->prepared, &query, p);
    return p;
}

static struct pg_prepared *add_prepared(struct pg *pg, const char *query) {
    struct pg_prepared *p = mem_alloc(sizeof *p);
    p->query = query;
    HASH_ADD_PTR(pg->prepared, query, p);
    return p;
}

static void drop_unready(struct pg *pg) {
    struct pg_prepared *p, *next;
    HASH_ITER(hh, pg->prepared, p, next) {
        if (p->ready)
            continue;
        HASH_DEL(pg->prepared, p);
        free(p);
    }
}

static bool is_good(const PGresult *res) {
    ExecStatusType status = PQresultStatus(res);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

static int fail(struct pg *pg, PGresult *res, struct err *err) {
    if (PQstatus(pg->conn) != CONNECTION_OK)
        connection_error(pg, err);
    else
        result_error(pg, res, err);
    PQclear(res);
    return -1;
}

/* The batch that it belongs to is halved, or the one row at fault is told: never cut, never the whole. */
static int check_params(const struct pg_params *params, struct err *err) {
    return params->too_large ? err_set(err, ERR_PARK, "an array of a statement is larger than %d MiB",
                                       PG_ARRAY_MAX / 1024 / 1024)
                             : 0;
}

PGresult *pg_run(struct pg *pg, const char *query, const struct pg_params *params, struct err *err) {
    const struct pg_params *p = params ? params : &no_params;
    char name[24];
    if (check_params(p, err) < 0)
        return NULL;
    statement_name(query, name);
    if (!find_prepared(pg, query)) {
        PGresult *res = PQprepare(pg->conn, name, query, p->n, p->types);
        if (!is_good(res)) {
            (void)fail(pg, res, err);
            return NULL;
        }
        PQclear(res);
        add_prepared(pg, query)->ready = true;
    }
    PGresult *res = PQexecPrepared(pg->conn, name, p->n, p->values, p->lengths, binary_formats, 1);
    if (is_good(res))
        return res;
    (void)fail(pg, res, err);
    return NULL;
}

int pg_script(struct pg *pg, const char *script, struct err *err) {
    PGresult *res = PQexec(pg->conn, script);
    if (!is_good(res))
        return fail(pg, res, err);
    PQclear(res);
    return 0;
}

void pg_rollback(struct pg *pg) {
    PQclear(PQexec(pg->conn, "rollback"));
}

/* ---- pipelines ---- */

static void push(struct pg *pg, char kind, struct pg_prepared *prepare) {
    if (pg->pending == pg->sent_cap) {
        pg->sent_cap = pg->sent_cap ? 2 * pg->sent_cap : 64;
        pg->sent = mem_grow(pg->sent, pg->sent_cap, sizeof *pg->sent);
    }
    pg->sent[pg->pending++] = (struct pg_sent){kind, prepare};
}

int pg_pipeline_begin(struct pg *pg, struct err *err) {
    pg->pending = pg->read = 0;
    if (PQenterPipelineMode(pg->conn))
        return 0;
    connection_error(pg, err);
    return -1;
}

int pg_send(struct pg *pg, const char *query, const struct pg_params *params, struct err *err) {
    const struct pg_params *p = params ? params : &no_params;
    char name[24];
    if (check_params(p, err) < 0)
        return -1;
    statement_name(query, name);
    if (!find_prepared(pg, query)) {
        if (!PQsendPrepare(pg->conn, name, query, p->n, p->types)) {
            connection_error(pg, err);
            return -1;
        }
        push(pg, KIND_PREPARE, add_prepared(pg, query));
    }
    if (!PQsendQueryPrepared(pg->conn, name, p->n, p->values, p->lengths, binary_formats, 1)) {
        connection_error(pg, err);
        return -1;
    }
    push(pg, KIND_STATEMENT, NULL);
    return 0;
}

int pg_sync(struct pg *pg, struct err *err) {
    if (!PQpipelineSync(pg->conn)) {
        connection_error(pg, err);
        return -1;
    }
    push(pg, KIND_SYNC, NULL);
    return 0;
}

/* The next result of any kind, with the NULL that ends it taken away. */
static PGresult *next_raw(struct pg *pg) {
    const struct pg_sent *sent = &pg->sent[pg->read++];
    PGresult *res = PQgetResult(pg->conn);
    /* A PREPARE that went through stays, whatever becomes of the transaction. */
    if (sent->prepare && is_good(res))
        sent->prepare->ready = true;
    if (sent->kind != KIND_SYNC) {
        PGresult *end;
        while ((end = PQgetResult(pg->conn)))
            PQclear(end);
    }
    return res;
}

PGresult *pg_next(struct pg *pg, struct err *err) {
    while (pg->read < pg->pending) {
        char kind = pg->sent[pg->read].kind;
        PGresult *res = next_raw(pg);
        if (!res || (!is_good(res) && PQresultStatus(res) != PGRES_PIPELINE_SYNC)) {
            (void)fail(pg, res, err);
            return NULL;
        }
        if (kind == KIND_STATEMENT)
            return res;
        PQclear(res);
    }
    (void)err_set(err, ERR_BUG, "no result is left in the pipeline");
    return NULL;
}

void pg_pipeline_end(struct pg *pg) {
    while (pg->read < pg->pending && PQstatus(pg->conn) == CONNECTION_OK)
        PQclear(next_raw(pg));
    (void)PQexitPipelineMode(pg->conn);
    pg->pending = pg->read = 0;
    drop_unready(pg);
}

bool pg_hear(struct pg *pg, int64_t timeout_us, int wake_fd, void (*each)(void *arg, const char *said),
             void *arg) {
    PGnotify *note;
    struct pollfd p[2] = {{.fd = PQsocket(pg->conn), .events = POLLIN}, {.fd = wake_fd, .events = POLLIN}};
    if (!(note = PQnotifies(pg->conn))) {
        (void)poll(p, wake_fd >= 0 ? 2 : 1, (int)(timeout_us / 1000));
        (void)PQconsumeInput(pg->conn);
        note = PQnotifies(pg->conn);
    }
    bool came = note != NULL;
    for (; note; note = PQnotifies(pg->conn)) {
        each(arg, note->extra);
        PQfreemem(note);
    }
    return came;
}

static void ignore(void *arg, const char *said) {
    (void)arg, (void)said;
}

bool pg_wait_notify(struct pg *pg, int64_t timeout_us, int wake_fd) {
    return pg_hear(pg, timeout_us, wake_fd, ignore, NULL);
}
