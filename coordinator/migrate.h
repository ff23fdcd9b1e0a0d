/* Brings the database to this build: migrations in order, the rows of the state tables from the C tables, the
 * views, and the built-in release. Safe to run twice and from two places at once. Uses the owner's
 * connection. */
#ifndef FAIRLEAD_COORDINATOR_MIGRATE_H
#define FAIRLEAD_COORDINATOR_MIGRATE_H

#include "base/err.h"

MUST_CHECK int migrate_run(const char *owner_url, struct err *err);

#endif
