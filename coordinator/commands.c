#include "coordinator/commands.h"

#include "base/log.h"
#include "base/str.h"
#include "coordinator/authority.h"
#include "coordinator/key_sets.h"
#include "coordinator/migrate.h"
#include "coordinator/republish.h"
#include "coordinator/sweep.h"

static int run_migrate(const struct conf_row *conf, char **args, struct err *err) {
    (void)args;
    return migrate_run(conf_get(conf, "database-owner"), err);
}

/* For what no check can see: a broker that lost its tail. */
static int run_republish(const struct conf_row *conf, char **args, struct err *err) {
    int64_t rows = 0;
    (void)args;
    struct pg *pg = pg_open(conf_get(conf, "database"), "statement_timeout=60s jit=off", err);
    int rc = pg ? republish(pg, REPUBLISH_ALL, 0, &rows, err) : -1;
    pg_close(pg);
    if (rc == 0)
        printf("%lld documents, events and open orders are published again\n", (long long)rows);
    return rc;
}

/* The clock does it every hour. */
static int run_sweep(const struct conf_row *conf, char **args, struct err *err) {
    int64_t rows = 0;
    (void)args;
    struct pg *pg = pg_open(conf_get(conf, "database"), PG_PINNED_PLANS "statement_timeout=60s", err);
    int rc = pg ? sweep_run(pg, conf_int(conf, "keep-days"), &rows, err) : -1;
    pg_close(pg);
    if (rc == 0)
        printf("%lld rows that had served were taken away\n", (long long)rows);
    return rc;
}

static int run_authority(const struct conf_row *conf, char **args, struct err *err) {
    (void)args;
    return authority_make(conf_get(conf, "authority"), err);
}

static int run_issue(const struct conf_row *conf, char **args, struct err *err) {
    return authority_issue(conf_get(conf, "authority"), args[0], args + 1, err);
}

static int run_rotate(const struct conf_row *conf, char **args, struct err *err) {
    const struct rotate_conf rotate = {
        .authority = conf_get(conf, "authority"), .state = conf_get(conf, "state"), .stolen = args[0]};
    if (args[0] && !str_eq(args[0], "stolen"))
        return err_set(err, ERR_PARK, "rotate takes \"stolen\" or nothing, not \"%s\"", args[0]);
    struct pg *pg =
        sign_init(err) < 0 ? NULL : pg_open(conf_get(conf, "database"), "statement_timeout=10s", err);
    int rc = pg ? key_sets_rotate(pg, &rotate, err) : -1;
    pg_close(pg);
    return rc;
}

static const struct command {
    const char *name;
    size_t least, most; /* words behind it */
    int (*run)(const struct conf_row *conf, char **args, struct err *err);
} commands[] = {
    {"migrate", 0, 0, run_migrate},     {"republish", 0, 0, run_republish}, {"sweep", 0, 0, run_sweep},
    {"authority", 0, 0, run_authority}, {"issue", 1, 32, run_issue},        {"rotate", 0, 1, run_rotate},
};

bool command_run(const struct conf_row *conf, const char *command, char **args, int *ret_rc) {
    struct err err = {0};
    size_t n = 0;
    while (args[n])
        n++;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const struct command *row = &commands[i];
        if (!str_eq(row->name, command) || n < row->least || n > row->most)
            continue;
        *ret_rc = row->run(conf, args, &err) < 0;
        if (*ret_rc)
            log_error(row->name, LOG_S("error", err.text));
        return true;
    }
    return false;
}
