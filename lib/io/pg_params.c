/* Parameters: arrays in the binary format that PostgreSQL's array_recv() reads. */
#include "base/str.h"
#include "io/pg.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* Object identifiers of pg_type, fixed for ever by PostgreSQL's catalogue. */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_TIMESTAMPTZ = 1184,
    OID_UUID = 2950,
    OID_JSONB = 3802
};
enum {
    OID_BOOL_ARRAY = 1000,
    OID_BYTEA_ARRAY = 1001,
    OID_INT8_ARRAY = 1016,
    OID_TEXT_ARRAY = 1009,
    OID_TIMESTAMPTZ_ARRAY = 1185,
    OID_UUID_ARRAY = 2951,
    OID_JSONB_ARRAY = 3807
};

#define EPOCH_SHIFT_US INT64_C(946684800000000) /* 2000-01-01, PostgreSQL's zero */

static const Oid element_oids[] = {
    [PG_UUID] = OID_UUID,        [PG_TEXT] = OID_TEXT,  [PG_INT] = OID_INT8,    [PG_BOOL] = OID_BOOL,
    [PG_TIME] = OID_TIMESTAMPTZ, [PG_JSON] = OID_JSONB, [PG_BYTES] = OID_BYTEA, [PG_ENUM] = OID_TEXT,
};
static const Oid array_oids[] = {
    [PG_UUID] = OID_UUID_ARRAY,   [PG_TEXT] = OID_TEXT_ARRAY,        [PG_INT] = OID_INT8_ARRAY,
    [PG_BOOL] = OID_BOOL_ARRAY,   [PG_TIME] = OID_TIMESTAMPTZ_ARRAY, [PG_JSON] = OID_JSONB_ARRAY,
    [PG_BYTES] = OID_BYTEA_ARRAY, [PG_ENUM] = OID_TEXT_ARRAY,
};

struct span {
    const void *p;
    size_t n;
};

static void put_u32(struct str *out, uint32_t v) {
    v = htonl(v);
    str_add(out, &v, sizeof v);
}

static void put_u64(struct str *out, uint64_t v) {
    v = htobe64(v);
    str_add(out, &v, sizeof v);
}

static void put_null(struct str *out) {
    put_u32(out, UINT32_MAX);
}

static void put_blob(struct str *out, const void *p, size_t n) {
    put_u32(out, (uint32_t)n);
    str_add(out, p, n);
}

static void put_text(struct str *out, const char *s) {
    if (s)
        put_blob(out, s, strlen(s));
    else
        put_null(out);
}

static void put_int(struct str *out, int64_t v) {
    put_u32(out, 8);
    put_u64(out, (uint64_t)v);
}

static void put_element(struct str *out, const struct pg_column *column, const void *row) {
    const char *member = (const char *)row + column->offset;
    const char *text;
    int64_t number;
    int value;
    struct span span;
    static const struct uuid nil;
    switch (column->type) {
    case PG_UUID:
        if (memcmp(member, nil.b, sizeof nil.b) == 0)
            put_null(out);
        else
            put_blob(out, member, sizeof nil.b);
        break;
    case PG_TEXT:
        memcpy(&text, member, sizeof text);
        put_text(out, text);
        break;
    case PG_JSON:
        memcpy(&text, member, sizeof text);
        if (!text) {
            put_null(out);
            break;
        }
        put_u32(out, (uint32_t)strlen(text) + 1);
        str_add(out, "\1", 1);
        str_add(out, text, strlen(text));
        break;
    case PG_INT:
        memcpy(&number, member, sizeof number);
        put_int(out, number);
        break;
    case PG_TIME:
        memcpy(&number, member, sizeof number);
        if (number)
            put_int(out, number - EPOCH_SHIFT_US);
        else
            put_null(out);
        break;
    case PG_BOOL:
        put_u32(out, 1);
        str_add(out, *(const bool *)(const void *)member ? "\1" : "\0", 1);
        break;
    case PG_BYTES:
        memcpy(&span, member, sizeof span);
        put_blob(out, span.p ? span.p : "", span.n);
        break;
    case PG_ENUM:
        memcpy(&value, member, sizeof value);
        if (value < 0 || value >= column->labels_n)
            abort();
        put_text(out, column->labels[value]);
        break;
    }
}

static void add_param(struct pg_params *params, Oid type, const void *p, size_t n) {
    if (params->n == PG_PARAMS_MAX)
        abort();
    params->types[params->n] = type;
    params->values[params->n] = p ? arena_memdup(params->arena, p, n ? n : 1) : NULL;
    params->lengths[params->n] = (int)n;
    params->n++;
}

static void add_array(struct pg_params *params, const struct pg_column *column, const void *const *rows,
                      size_t n) {
    struct str out = STR_INIT(PG_ARRAY_MAX);
    put_u32(&out, n ? 1 : 0);
    put_u32(&out, 1);
    put_u32(&out, element_oids[column->type]);
    if (n) {
        put_u32(&out, (uint32_t)n);
        put_u32(&out, 1);
    }
    for (size_t i = 0; i < n; i++)
        put_element(&out, column, rows[i]);
    params->too_large = params->too_large || str_is_cut(&out);
    add_param(params, array_oids[column->type], out.s, out.n);
    str_release(&out);
}

void pg_params_rows(struct pg_params *params, const struct pg_column *columns, int columns_n,
                    const void *const *rows, size_t n) {
    for (int i = 0; i < columns_n; i++)
        add_array(params, &columns[i], rows, n);
}

static void add_plain(struct pg_params *params, enum pg_type type, const void *items, size_t size, size_t n) {
    const struct pg_column column = {.type = type};
    const void **rows = arena_alloc(params->arena, (n ? n : 1) * sizeof *rows);
    for (size_t i = 0; i < n; i++)
        rows[i] = (const char *)items + i * size;
    add_array(params, &column, rows, n);
}

void pg_params_uuids(struct pg_params *params, const struct uuid *ids, size_t n) {
    add_plain(params, PG_UUID, ids, sizeof *ids, n);
}

void pg_params_texts(struct pg_params *params, const char *const *texts, size_t n) {
    add_plain(params, PG_TEXT, texts, sizeof *texts, n);
}

void pg_params_ints(struct pg_params *params, const int64_t *ints, size_t n) {
    add_plain(params, PG_INT, ints, sizeof *ints, n);
}

void pg_params_text(struct pg_params *params, const char *text) {
    add_param(params, OID_TEXT, text, text ? strlen(text) : 0);
}

void pg_params_int(struct pg_params *params, int64_t n) {
    uint64_t be = htobe64((uint64_t)n);
    add_param(params, OID_INT8, &be, sizeof be);
}

void pg_params_uuid(struct pg_params *params, struct uuid id) {
    add_param(params, OID_UUID, id.b, sizeof id.b);
}

void pg_params_uuid_or_null(struct pg_params *params, struct uuid id) {
    add_param(params, OID_UUID, uuid_is_nil(id) ? NULL : id.b, sizeof id.b);
}

void pg_params_bool(struct pg_params *params, bool value) {
    add_param(params, OID_BOOL, value ? "\1" : "\0", 1);
}

void pg_params_time(struct pg_params *params, int64_t us) {
    uint64_t be = htobe64((uint64_t)(us - EPOCH_SHIFT_US));
    add_param(params, OID_TIMESTAMPTZ, us ? &be : NULL, sizeof be);
}

void pg_params_bytes(struct pg_params *params, const void *p, size_t n) {
    add_param(params, OID_BYTEA, p, n);
}
