#include "coordinator/sweep.h"

#include "base/clock.h"
#include "sql/queries.h"

#define LONGEST_US (3 * CLOCK_S) /* the rest has time until the next run */

int sweep_run(struct pg *pg, int64_t keep_days, int64_t *ret_rows, struct err *err) {
    int64_t until = clock_mono_us() + LONGEST_US, rows = 0;
    bool more = true;
    while (more && clock_mono_us() < until) {
        cleanup_result PGresult *names = pg_run(pg, query_sweep_names, NULL, err);
        if (!names)
            return -1;
        rows += pg_int(names, 0, 0);
        more = pg_bool(names, 0, 1);
    }
    more = true;
    while (more && clock_mono_us() < until) {
        struct arena arena = {0};
        struct pg_params params = {.arena = &arena};
        pg_params_int(&params, keep_days);
        cleanup_result PGresult *res = pg_run(pg, query_sweep, &params, err);
        arena_release(&arena);
        if (!res)
            return -1;
        rows += pg_int(res, 0, 0) + pg_int(res, 0, 1);
        more = pg_bool(res, 0, 2);
    }
    struct arena arena = {0};
    struct pg_params params = {.arena = &arena};
    pg_params_int(&params, keep_days);
    cleanup_result PGresult *access = pg_run(pg, query_sweep_access, &params, err);
    arena_release(&arena);
    if (!access)
        return -1;
    rows += pg_int(access, 0, 0);
    if (ret_rows)
        *ret_rows = rows;
    return 0;
}
