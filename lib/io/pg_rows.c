/* Results in the binary format, by column or by description. */
#include "base/str.h"
#include "io/pg.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH_SHIFT_US INT64_C(946684800000000) /* 2000-01-01, PostgreSQL's zero */
enum { OID_INT4 = 23, OID_JSONB = 3802 };

const char *pg_text(PGresult *res, int row, int column) {
    if (PQgetisnull(res, row, column))
        return NULL;
    /* jsonb begins with its version */
    return PQgetvalue(res, row, column) + (PQftype(res, column) == OID_JSONB ? 1 : 0);
}

int64_t pg_int(PGresult *res, int row, int column) {
    const char *p = PQgetvalue(res, row, column);
    uint64_t wide = 0;
    uint32_t narrow;
    if (PQgetisnull(res, row, column))
        return 0;
    if (PQftype(res, column) == OID_INT4) {
        memcpy(&narrow, p, sizeof narrow);
        return (int32_t)be32toh(narrow);
    }
    memcpy(&wide, p, sizeof wide);
    return (int64_t)be64toh(wide);
}

int64_t pg_time(PGresult *res, int row, int column) {
    return PQgetisnull(res, row, column) ? 0 : pg_int(res, row, column) + EPOCH_SHIFT_US;
}

struct uuid pg_uuid(PGresult *res, int row, int column) {
    struct uuid u = {0};
    if (!PQgetisnull(res, row, column))
        memcpy(u.b, PQgetvalue(res, row, column), sizeof u.b);
    return u;
}

bool pg_bool(PGresult *res, int row, int column) {
    return !PQgetisnull(res, row, column) && PQgetvalue(res, row, column)[0];
}

void pg_clear_p(PGresult **res) {
    PQclear(*res);
}

static int label_of(const struct pg_column *column, const char *text) {
    for (int i = 0; text && i < column->labels_n; i++)
        if (str_eq(column->labels[i], text))
            return i;
    abort(); /* a CHECK of the table forbids any other */
}

static void read_member(PGresult *res, int row, int i, const struct pg_column *column, char *member,
                        struct arena *arena) {
    const char *text;
    int64_t number;
    int value;
    bool truth;
    struct uuid id;
    struct {
        const void *p;
        size_t n;
    } span = {0};
    switch (column->type) {
    case PG_UUID:
        id = pg_uuid(res, row, i);
        memcpy(member, &id, sizeof id);
        break;
    case PG_TEXT:
    case PG_JSON:
        text = arena_strdup(arena, pg_text(res, row, i));
        memcpy(member, &text, sizeof text);
        break;
    case PG_INT:
        number = pg_int(res, row, i);
        memcpy(member, &number, sizeof number);
        break;
    case PG_TIME:
        number = pg_time(res, row, i);
        memcpy(member, &number, sizeof number);
        break;
    case PG_BOOL:
        truth = pg_bool(res, row, i);
        memcpy(member, &truth, sizeof truth);
        break;
    case PG_BYTES:
        if (!PQgetisnull(res, row, i)) {
            span.n = (size_t)PQgetlength(res, row, i);
            span.p = arena_memdup(arena, PQgetvalue(res, row, i), span.n);
        }
        memcpy(member, &span, sizeof span);
        break;
    case PG_ENUM:
        value = label_of(column, pg_text(res, row, i));
        memcpy(member, &value, sizeof value);
        break;
    }
}

void pg_rows(PGresult *res, const struct pg_column *columns, int columns_n, size_t size, struct arena *arena,
             struct vec *ret) {
    if (PQnfields(res) < columns_n)
        abort(); /* the statement and the description are of one build */
    for (int row = 0; row < PQntuples(res); row++) {
        char *item = vec_add_size(arena, ret, size);
        for (int i = 0; i < columns_n; i++)
            read_member(res, row, i, &columns[i], item + columns[i].offset, arena);
    }
}
