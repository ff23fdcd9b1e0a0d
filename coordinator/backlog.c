#include "coordinator/backlog.h"

#include "base/clock.h"
#include "sql/queries.h"

#define LOOK_US (5 * CLOCK_S)
#define GRACE_US (30 * CLOCK_S)

int backlog_stands(struct backlog *backlog, struct pg *pg, bool *ret, struct err *err) {
    int64_t now = clock_mono_us();
    if (!backlog->looked_at || now - backlog->looked_at >= LOOK_US) {
        cleanup_result PGresult *res = pg_run(pg, query_outbox_ends, NULL, err);
        if (!res)
            return -1;
        bool empty = PQgetisnull(res, 0, 0);
        if (backlog->looked_at && !empty && pg_int(res, 0, 0) <= backlog->highest)
            backlog->stood_at = now;
        backlog->unsure = !backlog->looked_at && !empty;
        backlog->highest = pg_int(res, 0, 1);
        backlog->looked_at = now;
    }
    *ret = backlog->unsure || (backlog->stood_at && now - backlog->stood_at < GRACE_US);
    return 0;
}
