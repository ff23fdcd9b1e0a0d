/* PostgreSQL by libpq: one connection, binary parameters and results, pipelines, and rows by description.
 *
 * Arrays are how rows travel: a table of columns (struct pg_column) says which member of a C struct goes into
 * which array parameter, and which column of a result into which member. A lone row is an array of one.
 *
 * Errors are classed by SQLSTATE (pg_error): connection and 40xxx/55P03/57xxx are retry; 22, 23 and P0001 are
 * park (this data); the rest are bugs. A connection that failed stays failed until pg_open() makes a new one;
 * so does one that was told that nothing may be written (25006): a server that turned read-only, by a
 * failover or by a setting, stays so for this connection.
 *
 * Who writes connects to the server that takes writes (target_session_attrs, libpq), of several that the
 * address may name; where there is none, that is an error of class retry. */
#ifndef FAIRLEAD_IO_PG_H
#define FAIRLEAD_IO_PG_H

#include "base/err.h"
#include "base/mem.h"
#include "base/uuid.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SQLSTATEs that callers tell apart (err.code; PostgreSQL, appendix A). */
#define PG_AWAY "08006"      /* connection failure: also where the server said nothing */
#define PG_READ_ONLY "25006" /* nothing may be written on this server just now */
#define PG_HELD "55P03"      /* somebody holds the row for longer than lock_timeout */
#define PG_TOO_SLOW "57014"  /* statement_timeout */

struct pg {
    PGconn *conn;
    struct pg_prepared *prepared;
    struct pg_sent *sent; /* in the pipeline */
    size_t sent_cap;
    size_t pending, read;
    bool gone; /* it cannot be used any more, though the server still answers */
};

/* For what runs often: a plan made while a table was empty must not stay a bad one. */
#define PG_PINNED_PLANS                                                                                      \
    "enable_seqscan=off enable_hashjoin=off enable_mergejoin=off plan_cache_mode=force_generic_plan "        \
    "jit=off "

/* `settings` are "name=value" run-time settings, separated by spaces, or NULL. */
struct pg *pg_open(const char *url, const char *settings, struct err *err);
/* The same for who mostly looks: where no server takes writes, one that can be read. */
struct pg *pg_open_any(const char *url, const char *settings, struct err *err);
/* ... logged in as `user`, whoever the address names; NULL: as it says. */
struct pg *pg_open_any_as(const char *url, const char *user, const char *settings, struct err *err);
void pg_close(struct pg *pg);
/* False when it is broken. What the server has said since is read first: its farewell, after a restart. */
bool pg_is_usable(struct pg *pg);
/* False while its server is a standby, or was told to write nothing. As the server last reported it. */
bool pg_takes_writes(const struct pg *pg);

/* ---- columns ---- */

enum pg_type { PG_UUID, PG_TEXT, PG_INT, PG_BOOL, PG_TIME, PG_JSON, PG_BYTES, PG_ENUM };

struct pg_column {
    enum pg_type type;
    size_t offset; /* of the member: struct uuid, const char *, int64_t, bool, int64_t (us; 0 = NULL),
                      const char *, struct {const void *p; size_t n;}, int */
    const char *const *labels; /* PG_ENUM: text of each value */
    int labels_n;
};
#define PG_COL(row, member, kind)                                                                            \
    { .type = (kind), .offset = offsetof(row, member) }
#define PG_COL_ENUM(row, member, names, count)                                                               \
    { .type = PG_ENUM, .offset = offsetof(row, member), .labels = (names), .labels_n = (count) }

/* ---- parameters ---- */

#define PG_PARAMS_MAX 40
struct pg_params {
    struct arena *arena;
    int n;
    Oid types[PG_PARAMS_MAX];
    const char *values[PG_PARAMS_MAX];
    int lengths[PG_PARAMS_MAX];
    bool too_large; /* an array passed PG_ARRAY_MAX: no statement is run with it (class park) */
};
#define PG_ARRAY_MAX (64 * 1024 * 1024)

/* One array parameter per column, from `n` row pointers. */
void pg_params_rows(struct pg_params *params, const struct pg_column *columns, int columns_n,
                    const void *const *rows, size_t n);
void pg_params_uuids(struct pg_params *params, const struct uuid *ids, size_t n);
void pg_params_texts(struct pg_params *params, const char *const *texts, size_t n);
void pg_params_ints(struct pg_params *params, const int64_t *ints, size_t n);
void pg_params_text(struct pg_params *params, const char *text); /* scalar, may be NULL */
void pg_params_int(struct pg_params *params, int64_t n);
void pg_params_bool(struct pg_params *params, bool value);
void pg_params_uuid(struct pg_params *params, struct uuid id);
void pg_params_uuid_or_null(struct pg_params *params, struct uuid id); /* nil: NULL */
void pg_params_time(struct pg_params *params, int64_t us);
void pg_params_bytes(struct pg_params *params, const void *p, size_t n);

/* ---- statements ---- */

/* Runs one statement and waits; NULL on error; the caller clears the result. The text is prepared once per
 * connection under the address of its text, so pass the embedded query itself. */
PGresult *pg_run(struct pg *pg, const char *query, const struct pg_params *params, struct err *err);
/* Several statements in one text, no parameters: migrations. */
MUST_CHECK int pg_script(struct pg *pg, const char *script, struct err *err);

/* Ends a transaction that failed; a connection that cannot even do that is broken, and says so at its next
 * use. */
void pg_rollback(struct pg *pg);

/* A pipeline: send any number, then read each result in order. After an error the rest read as errors until
 * pg_pipeline_end(). */
MUST_CHECK int pg_pipeline_begin(struct pg *pg, struct err *err);
MUST_CHECK int pg_send(struct pg *pg, const char *query, const struct pg_params *params, struct err *err);
MUST_CHECK int pg_sync(struct pg *pg, struct err *err);
PGresult *pg_next(struct pg *pg, struct err *err); /* NULL: error, classed */
/* Reads whatever is left, leaves pipeline mode; the connection is usable again unless it broke. */
void pg_pipeline_end(struct pg *pg);

/* ---- results ---- */

/* Reads all rows into structs of `size` bytes in a vec; texts in its arena. */
void pg_rows(PGresult *res, const struct pg_column *columns, int columns_n, size_t size, struct arena *arena,
             struct vec *ret);
const char *pg_text(PGresult *res, int row, int column); /* text/json; NULL for NULL */
int64_t pg_int(PGresult *res, int row, int column);
int64_t pg_time(PGresult *res, int row, int column); /* us since 1970; 0 for NULL */
struct uuid pg_uuid(PGresult *res, int row, int column);
bool pg_bool(PGresult *res, int row, int column);
void pg_clear_p(PGresult **res);
#define cleanup_result __attribute__((cleanup(pg_clear_p)))

/* Notifications: waits up to timeout for one (or for `wake_fd` to become readable); true when one came. */
bool pg_wait_notify(struct pg *pg, int64_t timeout_us, int wake_fd);
/* The same, and hands over what each of them says. */
bool pg_hear(struct pg *pg, int64_t timeout_us, int wake_fd, void (*each)(void *arg, const char *said),
             void *arg);

#endif
