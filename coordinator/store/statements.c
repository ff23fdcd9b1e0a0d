/* Statements that only list columns, printed from the description of their table. */
#include "base/mem.h"
#include "base/str.h"
#include "coordinator/store/columns.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define STATEMENT_MAX 16384

static const char *const sql_types[] = {
    [PG_UUID] = "uuid",        [PG_TEXT] = "text",  [PG_INT] = "bigint",  [PG_BOOL] = "boolean",
    [PG_TIME] = "timestamptz", [PG_JSON] = "jsonb", [PG_BYTES] = "bytea", [PG_ENUM] = "text",
};

/* Which columns, and how each is written. */
enum part { PART_NAMES, PART_ARRAYS, PART_ASSIGN, PART_MATCH };

static void add_columns(struct str *out, const struct table_row *table, enum part part, bool only_changing,
                        const char *prefix) {
    int n = 0;
    for (int i = 0; i < table->n; i++) {
        const struct table_column *column = &table->columns[i];
        bool key = column->role == COLUMN_KEY, changes = column->role == COLUMN_CHANGES;
        if ((part == PART_ASSIGN && !changes) || (part == PART_MATCH && !key) ||
            (only_changing && !key && !changes))
            continue;
        n++;
        if (n > 1)
            str_adds(out, part == PART_MATCH ? " and " : ", ");
        if (part == PART_NAMES)
            str_addf(out, "%s%s", prefix, column->name);
        else if (part == PART_ARRAYS)
            str_addf(out, "$%d::%s[]", n, sql_types[column->column.type]);
        else
            str_addf(out, part == PART_ASSIGN ? "%s = n.%s" : "t.%s = n.%s", column->name, column->name);
    }
}

static char *print_insert(const struct table_row *table) {
    struct str out = STR_INIT(STATEMENT_MAX);
    str_addf(&out, "insert into %s (", table->name);
    add_columns(&out, table, PART_NAMES, false, "");
    str_adds(&out, ") select * from unnest(");
    add_columns(&out, table, PART_ARRAYS, false, "");
    str_adds(&out, ")");
    return out.s;
}

/* NULL where rows never change. */
static char *print_update(const struct table_row *table) {
    struct str out = STR_INIT(STATEMENT_MAX);
    bool changes = false;
    for (int i = 0; i < table->n; i++)
        changes = changes || table->columns[i].role == COLUMN_CHANGES;
    if (!changes)
        return NULL;
    str_addf(&out, "update %s t set ", table->name);
    add_columns(&out, table, PART_ASSIGN, true, "");
    str_adds(&out, " from unnest(");
    add_columns(&out, table, PART_ARRAYS, true, "");
    str_adds(&out, ") as n (");
    add_columns(&out, table, PART_NAMES, true, "");
    str_adds(&out, ") where ");
    add_columns(&out, table, PART_MATCH, true, "");
    return out.s;
}

static struct table_statements made[TABLE_COUNT];

static void make_all(void) {
    for (int t = 0; t < TABLE_COUNT; t++) {
        const struct table_row *table = &table_rows[t];
        struct pg_column *all = mem_alloc((size_t)table->n * sizeof *all);
        struct pg_column *changing = mem_alloc((size_t)table->n * sizeof *changing);
        int changing_n = 0;
        for (int i = 0; i < table->n; i++) {
            all[i] = table->columns[i].column;
            if (table->columns[i].role != COLUMN_FIXED)
                changing[changing_n++] = table->columns[i].column;
        }
        made[t] = (struct table_statements){
            all, changing, table->n, changing_n, print_insert(table), print_update(table)};
    }
}

const struct table_statements *table_statements(enum table table) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make_all);
    return &made[table];
}

/* ---- statements that think, with lists of columns in them ---- */

static const struct table_row *find_table(const char *name, size_t n) {
    for (int t = 0; t < TABLE_COUNT; t++)
        if (strlen(table_rows[t].name) == n && strncmp(table_rows[t].name, name, n) == 0)
            return &table_rows[t];
    return NULL;
}

static char *expand(const char *text) {
    struct str out = STR_INIT(STATEMENT_MAX);
    for (const char *open; (open = strchr(text, '{')); text = strchr(open, '}') + 1) {
        size_t name_n = strspn(open + 1, "abcdefghijklmnopqrstuvwxyz_");
        const char *how = open + 1 + name_n + strspn(open + 1 + name_n, " ");
        size_t how_n = strcspn(how, "}");
        const struct table_row *table = find_table(open + 1, name_n);
        str_add(&out, text, (size_t)(open - text));
        if (!table) { /* an array of SQL */
            str_add(&out, open, (size_t)(strchr(open, '}') - open) + 1);
        } else if (how_n == strlen("arrays")) {
            add_columns(&out, table, PART_ARRAYS, false, "");
        } else {
            char prefix[8] = "";
            if (how_n)
                (void)snprintf(prefix, sizeof prefix, "%.*s.", (int)how_n, how);
            add_columns(&out, table, PART_NAMES, false, prefix);
        }
    }
    str_adds(&out, text);
    return out.s;
}

struct expanded {
    const char *embedded;
    char *text;
    UT_hash_handle hh;
};

const char *table_statement(const char *embedded) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static struct expanded *all;
    struct expanded *one;
    pthread_mutex_lock(&mutex);
    HASH_FIND_PTR(all, &embedded, one);
    if (!one) {
        one = mem_alloc(sizeof *one);
        one->embedded = embedded;
        one->text = expand(embedded);
        HASH_ADD_PTR(all, embedded, one);
    }
    pthread_mutex_unlock(&mutex);
    return one->text;
}
