/* Columns of the tables that decisions change, as io/pg wants them, and the statements that only list them:
 * printed from this one description (fairlead-coordinator statements shows all). */
#ifndef FAIRLEAD_COORDINATOR_STORE_COLUMNS_H
#define FAIRLEAD_COORDINATOR_STORE_COLUMNS_H

#include "io/pg.h"

enum table {
    TABLE_INSTANCES,
    TABLE_SETS,
    TABLE_INTENTS,
    TABLE_STEPS,
    TABLE_DOCUMENTS,
    TABLE_NAMES,
    TABLE_WORKS,
    TABLE_EVENTS,
    TABLE_TIMERS,
    TABLE_COUNT
};

enum column_role {
    COLUMN_KEY,     /* an update finds its row by these */
    COLUMN_FIXED,   /* written once */
    COLUMN_CHANGES, /* written by every update */
};

struct table_column {
    const char *name;
    enum column_role role;
    struct pg_column column;
};

struct table_row {
    const char *name;
    const struct table_column *columns;
    int n;
};
extern const struct table_row table_rows[TABLE_COUNT];

/* What follows from a row of the table. Made once; lives as long as the program. */
struct table_statements {
    const struct pg_column *all, *changing; /* changing: the keys, then what changes */
    int all_n, changing_n;
    /* One array parameter per column of `all`, of `changing`; update NULL: rows never change. */
    const char *insert, *update;
};
const struct table_statements *table_statements(enum table table);

/* An embedded statement whose columns are listed for it: "{instances}" in its text stands for the names of
 * all columns, "{instances i}" for the same behind "i.", "{instances arrays}" for "$1::uuid[], ...". The same
 * pointer for the same statement. */
const char *table_statement(const char *embedded);

#endif
