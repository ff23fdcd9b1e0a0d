/* Columns of the tables that decisions change, as io/pg wants them. `update` lists: the key, then what
 * changes. */
#ifndef FAIRLEAD_COORDINATOR_STORE_COLUMNS_H
#define FAIRLEAD_COORDINATOR_STORE_COLUMNS_H

#include "io/pg.h"
#include "model/rows.h"

extern const struct pg_column instance_columns[];
extern const int instance_columns_n;
extern const struct pg_column instance_update_columns[];
extern const int instance_update_columns_n;
extern const struct pg_column intent_columns[];
extern const int intent_columns_n;
extern const struct pg_column intent_update_columns[];
extern const int intent_update_columns_n;
extern const struct pg_column step_columns[];
extern const int step_columns_n;
extern const struct pg_column event_columns[];
extern const int event_columns_n;
extern const struct pg_column document_columns[];
extern const int document_columns_n;
extern const struct pg_column document_update_columns[];
extern const int document_update_columns_n;
extern const struct pg_column name_columns[];
extern const int name_columns_n;
extern const struct pg_column work_columns[];
extern const int work_columns_n;
extern const struct pg_column work_update_columns[];
extern const int work_update_columns_n;
extern const struct pg_column timer_columns[];
extern const int timer_columns_n;

#endif
