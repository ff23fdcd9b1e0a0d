/* The tables of this program as text: docs and golden files are made from them. */
#ifndef FAIRLEAD_COORDINATOR_DUMP_H
#define FAIRLEAD_COORDINATOR_DUMP_H

#include "base/conf.h"

/* "tables", "routes", "catalogue", "emits" or "config"; false: none of them, nothing printed. */
bool dump_print(const char *what, const struct conf_row *conf);

#endif
