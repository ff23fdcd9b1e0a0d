/* What is kept only for a while: docs/OPERATING.md says what, and for how long. */
#ifndef FAIRLEAD_COORDINATOR_SWEEP_H
#define FAIRLEAD_COORDINATOR_SWEEP_H

#include "io/pg.h"

/* Takes away what is older than so many days, page by page, for a few seconds at most; *ret_rows may be NULL.
 * Class retry. */
MUST_CHECK int sweep_run(struct pg *pg, int64_t keep_days, int64_t *ret_rows, struct err *err);

#endif
