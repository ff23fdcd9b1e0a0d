#include "coordinator/store/audit.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/str.h"
#include "coordinator/store/columns.h"
#include "sql/queries.h"

#include <stdlib.h>
#include <string.h>

#define HEAD_TYPE "fairlead.audit.v1" /* what a head is signed as */
#define PAGE 1000

static const struct pg_column columns[] = {
    PG_COL(struct audit_row, customer_id, PG_UUID),   PG_COL(struct audit_row, principal_id, PG_UUID),
    PG_COL(struct audit_row, credential_id, PG_UUID), PG_COL(struct audit_row, address, PG_TEXT),
    PG_COL(struct audit_row, act, PG_TEXT),           PG_COL(struct audit_row, object, PG_TEXT),
    PG_COL(struct audit_row, status, PG_INT),         PG_COL(struct audit_row, before, PG_BYTES),
    PG_COL(struct audit_row, after, PG_BYTES),        PG_COL(struct audit_row, request_id, PG_UUID),
    PG_COL(struct audit_row, trace, PG_TEXT),
};

struct bytes audit_hash(struct arena *arena, const char *text) {
    if (!text)
        return (struct bytes){0};
    struct hash *hash = arena_new(arena, struct hash);
    *hash = hash_of(text, strlen(text));
    return (struct bytes){hash->b, HASH_SIZE};
}

void audit_params(struct pg_params *params, const struct audit_row *const *rows, size_t n) {
    pg_params_rows(params, columns, sizeof columns / sizeof *columns, (const void *const *)rows, n);
}

/* ---- heads ---- */

/* What is signed: "CHAIN N HASH". */
static const char *head_text(struct arena *arena, int64_t chain, int64_t n, const void *hash) {
    char hex[HASH_HEX_SIZE];
    hex_encode(hex, hash, HASH_SIZE);
    return arena_printf(arena, "%lld %lld %s", (long long)chain, (long long)n, hex);
}

struct head {
    int64_t chain, n;
    struct bytes hash, signature;
};
static const struct pg_column head_columns[] = {
    PG_COL(struct head, chain, PG_INT),
    PG_COL(struct head, n, PG_INT),
    PG_COL(struct head, hash, PG_BYTES),
    PG_COL(struct head, signature, PG_BYTES),
};

/* The file holds one line for each chain: the head that was signed last. It is out of the database's reach.
 * False: there is none of this chain. */
static bool remembered(const char *text, int64_t chain, int64_t *ret_n, uint8_t ret_hash[HASH_SIZE]) {
    for (const char *line = text ? text : ""; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        long long at, n;
        char hex[HASH_HEX_SIZE];
        if (sscanf(line, "%lld %lld %64[0-9a-f]", &at, &n, hex) != 3 || at != chain ||
            !hex_decode(ret_hash, HASH_SIZE, hex))
            continue;
        *ret_n = n;
        return true;
    }
    return false;
}

static int read_file(const char *file, char **ret, struct err *err) {
    return file_exists(file) ? file_read(file, 8192, ret, NULL, err) : 0;
}

static int write_file(const char *file, const char *before, const struct vec *heads, struct arena *arena,
                      struct err *err) {
    cleanup_str struct str out = STR_INIT(8192);
    for (const char *line = before ? before : ""; *line;) {
        size_t n = strcspn(line, "\n");
        bool newer = false;
        for (size_t i = 0; i < heads->n; i++)
            newer = newer || strtoll(line, NULL, 10) == vec_at(heads, struct head, i)->chain;
        if (!newer)
            str_addf(&out, "%.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
    for (size_t i = 0; i < heads->n; i++) {
        const struct head *head = vec_at(heads, struct head, i);
        str_addf(&out, "%s\n", head_text(arena, head->chain, head->n, head->hash.p));
    }
    return file_write(file, str_text(&out), out.n, 0600, err);
}

/* 1: what is remembered of the chain is still in it. 0: it is not. */
static int check_remembered(struct pg *pg, const char *text, int64_t chain, int64_t *ret_n,
                            struct arena *arena, struct err *err) {
    uint8_t hash[HASH_SIZE];
    struct pg_params params = {.arena = arena};
    *ret_n = 0;
    if (!remembered(text, chain, ret_n, hash))
        return 1;
    pg_params_int(&params, chain);
    pg_params_int(&params, *ret_n - 1);
    pg_params_int(&params, 1);
    cleanup_result PGresult *res = pg_run(pg, query_audit_rows, &params, err);
    if (!res)
        return -1;
    return PQntuples(res) == 1 && pg_int(res, 0, 0) == *ret_n && PQgetlength(res, 0, 1) == HASH_SIZE &&
           memcmp(PQgetvalue(res, 0, 1), hash, HASH_SIZE) == 0;
}

static int sign_heads(struct pg *pg, const struct sign_keys *keys, const char *file, struct arena *arena,
                      struct err *err) {
    struct vec heads = {0}, rows = {0};
    struct pg_params params = {.arena = arena};
    cleanup_free char *text = NULL;
    if (read_file(file, &text, err) < 0)
        return -1;
    cleanup_result PGresult *grown = pg_run(pg, query_audit_grown, NULL, err);
    if (!grown)
        return -1;
    for (int row = 0; row < PQntuples(grown); row++) {
        int64_t chain = pg_int(grown, row, 0), n = pg_int(grown, row, 1), known;
        /* What contradicts what was signed before is not signed: it would be vouched for. */
        int rc = check_remembered(pg, text, chain, &known, arena, err);
        if (rc < 0)
            return -1;
        if (rc == 0 || n < known || PQgetlength(grown, row, 2) != HASH_SIZE) {
            log_error("the audit is not what it was, and is not signed: fairlead audit verify",
                      LOG_I("chain", chain), LOG_I("known", known));
            continue;
        }
        struct head *head = vec_add(arena, &heads, struct head);
        const char *signs = head_text(arena, chain, n, PQgetvalue(grown, row, 2));
        uint8_t *signature = arena_alloc(arena, SIGN_SIZE);
        sign_make(keys, HEAD_TYPE, signs, strlen(signs), signature);
        *head = (struct head){chain, n, {PQgetvalue(grown, row, 2), HASH_SIZE}, {signature, SIGN_SIZE}};
    }
    for (size_t i = 0; i < heads.n; i++)
        *vec_add(arena, &rows, const void *) = vec_at(&heads, struct head, i);
    if (!heads.n)
        return 0;
    pg_params_rows(&params, head_columns, sizeof head_columns / sizeof *head_columns, rows.items, rows.n);
    PGresult *stored = pg_run(pg, query_audit_sign, &params, err);
    PQclear(stored);
    (void)fault_reach(FAULT_AUDIT_SIGNED);
    return stored ? write_file(file, text, &heads, arena, err) : -1;
}

int audit_sign_heads(struct pg *pg, const struct sign_keys *keys, const char *file, struct err *err) {
    struct arena arena = {0};
    int rc = sign_heads(pg, keys, file, &arena, err);
    arena_release(&arena);
    return rc;
}

/* ---- is it whole? ---- */

struct reading {
    struct pg *pg;
    struct signing *signing;
    struct arena *arena;
    struct audit_found *found;
    int64_t chain, n;  /* the row that was read last */
    struct bytes hash; /* of it */
};

static int problem(struct reading *reading, const char *what) {
    if (!reading->found->problem)
        reading->found->problem = arena_printf(reading->arena, "chain %lld, number %lld: %s",
                                               (long long)reading->chain, (long long)reading->n, what);
    return 1;
}

static bool same(PGresult *res, int row, int column, struct bytes hash) {
    return (size_t)PQgetlength(res, row, column) == hash.n &&
           memcmp(PQgetvalue(res, row, column), hash.p, hash.n) == 0;
}

static int check_row(struct reading *reading, PGresult *res, int row) {
    const char *text = pg_text(res, row, 2);
    int64_t before = reading->n;
    reading->n = pg_int(res, row, 0);
    if (reading->n != before + 1) {
        reading->n = before + 1;
        return problem(reading, "it is missing");
    }
    struct hash *hash = arena_new(reading->arena, struct hash);
    *hash = hash_sha256(reading->hash.p, reading->hash.n, text, strlen(text));
    reading->hash = (struct bytes){hash->b, HASH_SIZE};
    return same(res, row, 1, reading->hash)
               ? 0
               : problem(reading, "it, or the one before it, is not what it was");
}

/* 1: not whole. */
static int read_rows(struct reading *reading, struct err *err) {
    for (;;) {
        struct pg_params params = {.arena = reading->arena};
        pg_params_int(&params, reading->chain);
        pg_params_int(&params, reading->n);
        pg_params_int(&params, PAGE);
        cleanup_result PGresult *res = pg_run(reading->pg, query_audit_rows, &params, err);
        if (!res)
            return -1;
        for (int row = 0; row < PQntuples(res); row++)
            if (check_row(reading, res, row))
                return 1;
        if (PQntuples(res) < PAGE)
            return 0;
    }
}

/* Heads that were signed bind what stood then: recomputing a chain does not forge them. */
static int check_heads(struct reading *reading, int64_t *ret_signed, struct err *err) {
    struct pg_params params = {.arena = reading->arena};
    pg_params_int(&params, reading->chain);
    cleanup_result PGresult *res = pg_run(reading->pg, query_audit_heads, &params, err);
    if (!res)
        return -1;
    int64_t last = reading->n;
    for (int row = 0; row < PQntuples(res); row++) {
        bool whole = PQgetlength(res, row, 1) == HASH_SIZE;
        const char *text =
            whole ? head_text(reading->arena, reading->chain, pg_int(res, row, 0), PQgetvalue(res, row, 1))
                  : "";
        *ret_signed = reading->n = pg_int(res, row, 0);
        if (!whole || !signing_verify(reading->signing, HEAD_TYPE, text, strlen(text),
                                      PQgetvalue(res, row, 2), (size_t)PQgetlength(res, row, 2)))
            return problem(reading, "the signature of this head is not ours");
        if (reading->n > last)
            return problem(reading, "its head was signed, and it is gone: the end was cut off");
        if (!same(res, row, 3, (struct bytes){PQgetvalue(res, row, 1), HASH_SIZE}))
            return problem(reading, "it is not what was signed: the chain was computed anew");
    }
    reading->n = last;
    return 0;
}

/* What the coordinator's own folder remembers. */
static int check_file(struct reading *reading, const char *text, struct err *err) {
    int64_t known, last = reading->n;
    int rc = check_remembered(reading->pg, text, reading->chain, &known, reading->arena, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    reading->n = known;
    return problem(reading, known > last ? "its head is known here, and it is gone: the end was cut off"
                                         : "it is not what is known here: the chain was computed anew");
}

static int check_chain(struct reading *reading, PGresult *ends, int row, const char *text, struct err *err) {
    struct audit_chain_found *found =
        vec_add(reading->arena, &reading->found->chains, struct audit_chain_found);
    int64_t end = pg_int(ends, row, 1);
    found->chain = reading->chain = pg_int(ends, row, 0);
    reading->n = 0;
    reading->hash = (struct bytes){"", 0};
    int rc = read_rows(reading, err);
    found->rows = reading->n;
    if (rc == 0 && reading->n < end) {
        reading->n++;
        rc = problem(reading, "it is missing: the end was cut off");
    }
    if (rc == 0 && (reading->n != end || !same(ends, row, 2, reading->hash)))
        rc = problem(reading, end < 0 ? "the whole chain is gone"
                                      : "it was put there by nobody of ours: the chain ends otherwise");
    if (rc == 0)
        rc = check_heads(reading, &found->signed_n, err);
    return rc ? rc : check_file(reading, text, err);
}

int audit_verify(struct pg *pg, struct signing *signing, const char *file, struct arena *arena,
                 struct audit_found *ret, struct err *err) {
    struct reading reading = {.pg = pg, .signing = signing, .arena = arena, .found = ret};
    cleanup_free char *text = NULL;
    *ret = (struct audit_found){0};
    if (read_file(file, &text, err) < 0)
        return -1;
    /* One moment of all of it: what is appended meanwhile is not missing from what was read before. */
    if (pg_script(pg, "begin isolation level repeatable read read only", err) < 0)
        return -1;
    cleanup_result PGresult *ends = pg_run(pg, query_audit_ends, NULL, err);
    int rc = ends ? 0 : -1;
    for (int row = 0; rc >= 0 && row < PQntuples(ends); row++)
        rc = check_chain(&reading, ends, row, text, err);
    pg_rollback(pg);
    return rc < 0 ? -1 : 0;
}
