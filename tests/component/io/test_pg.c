/* PostgreSQL as it is: rows by description, pipelines, and what each class of error means (protocol section
 * 2). */
#include "base/str.h"
#include "io/pg.h"
#include "tests/support/service.h"

#include <string.h>

static struct pg *pg;
static struct arena arena;

static int set_up(void **state) {
    struct err err = {0};
    (void)state;
    pg = pg_open(service("FAIRLEAD_DATABASE_URL"), "lock_timeout=100ms", &err);
    return pg ? pg_script(pg,
                          "create temporary table t (id uuid, name text, n bigint, at timestamptz, b bytea)",
                          &err)
              : -1;
}

static int tear_down(void **state) {
    (void)state;
    pg_close(pg);
    arena_release(&arena);
    return 0;
}

struct row {
    struct uuid id;
    const char *name;
    int64_t n, at;
    struct {
        const void *p;
        size_t n;
    } b;
};
static const struct pg_column columns[] = {PG_COL(struct row, id, PG_UUID), PG_COL(struct row, name, PG_TEXT),
                                           PG_COL(struct row, n, PG_INT), PG_COL(struct row, at, PG_TIME),
                                           PG_COL(struct row, b, PG_BYTES)};
static const char insert[] = "insert into t select * from unnest($1::uuid[], $2::text[], $3::bigint[], "
                             "$4::timestamptz[], $5::bytea[])";
static const char select_all[] = "select id, name, n, at, b from t order by n";

static void rows_travel_as_arrays_and_come_back_the_same(void **state) {
    struct err err = {0};
    struct row rows[] = {{{{1}}, "one \"quoted\", {braced}, \\ and \n", 1, 1700000000123456, {"\0\1\2", 3}},
                         {{{0}}, NULL, INT64_MIN, 0, {"", 0}},
                         {{{255}}, "", INT64_MAX, 1, {"x", 1}}};
    const void *pointers[] = {&rows[0], &rows[1], &rows[2]};
    struct pg_params params = {.arena = &arena};
    struct vec back = {0};
    (void)state;
    pg_params_rows(&params, columns, 5, pointers, 3);
    PGresult *res = pg_run(pg, insert, &params, &err);
    assert_non_null(res);
    PQclear(res);
    res = pg_run(pg, select_all, NULL, &err);
    pg_rows(res, columns, 5, sizeof(struct row), &arena, &back);
    PQclear(res);
    assert_int_equal(back.n, 3);
    const struct row *second = vec_at(&back, struct row, 1), *null = vec_at(&back, struct row, 0);
    assert_string_equal(second->name, rows[0].name);
    assert_int_equal(second->at, rows[0].at);
    assert_memory_equal(second->b.p, "\0\1\2", 3);
    assert_null(null->name);
    assert_int_equal(null->n, INT64_MIN);
    assert_true(uuid_is_nil(null->id));
}

static void an_error_says_what_follows_from_it(void **state) {
    static const struct {
        const char *sql, *sqlstate;
        enum err_class cls;
    } cases[] = {
        {"do $$ begin raise exception 'x' using errcode = '40001'; end $$", "40001", ERR_RETRY},
        {"do $$ begin raise exception 'x' using errcode = '40P01'; end $$", "40P01", ERR_RETRY},
        {"do $$ begin raise exception 'x' using errcode = '53100'; end $$", "53100", ERR_RETRY},
        {"do $$ begin raise exception 'x' using errcode = '53300'; end $$", "53300", ERR_RETRY},
        {"do $$ begin raise exception 'x' using errcode = '55P03'; end $$", "55P03", ERR_RETRY},
        {"do $$ begin raise exception 'x' using errcode = '57014'; end $$", "57014", ERR_RETRY},
        {"do $$ begin raise exception 'x' using errcode = '57P01'; end $$", "57P01", ERR_RETRY},
        {"do $$ begin raise exception 'x' using errcode = '58030'; end $$", "58030", ERR_RETRY},
        {"do $$ begin raise exception 'x' using errcode = '08006'; end $$", "08006", ERR_RETRY},
        {"do $$ begin raise exception 'x' using errcode = '22001'; end $$", "22001", ERR_PARK},
        {"do $$ begin raise exception 'x' using errcode = '23505'; end $$", "23505", ERR_PARK},
        {"do $$ begin raise exception 'x'; end $$", "P0001", ERR_PARK},
        {"select nonsense", "42703", ERR_BUG},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        assert_int_equal(pg_script(pg, cases[i].sql, &err), -1);
        assert_string_equal(err.code, cases[i].sqlstate);
        assert_int_equal(err.cls, cases[i].cls);
        assert_true(pg_is_usable(pg));
    }
}

static const char fine[] = "select 1", bad[] = "select 1 / (n - n) from t";

static void a_pipeline_that_fails_leaves_the_connection_usable(void **state) {
    struct err err = {0};
    (void)state;
    rows_travel_as_arrays_and_come_back_the_same(NULL);
    assert_int_equal(pg_pipeline_begin(pg, &err), 0);
    assert_int_equal(pg_send(pg, fine, NULL, &err), 0);
    assert_int_equal(pg_send(pg, bad, NULL, &err), 0);
    assert_int_equal(pg_send(pg, fine, NULL, &err), 0);
    assert_int_equal(pg_sync(pg, &err), 0);
    PGresult *first = pg_next(pg, &err);
    assert_non_null(first);
    PQclear(first);
    assert_null(pg_next(pg, &err));
    assert_int_equal(err.cls, ERR_PARK);
    assert_null(pg_next(pg, &err)); /* the rest reads as errors */
    pg_pipeline_end(pg);
    PGresult *after = pg_run(pg, fine, NULL, &err);
    assert_non_null(after);
    PQclear(after);
}

static void a_connection_that_is_cut_says_so(void **state) {
    struct err err = {0};
    (void)state;
    assert_int_equal(pg_script(pg, "select pg_terminate_backend(pg_backend_pid())", &err), -1);
    assert_int_equal(err.cls, ERR_RETRY);
    assert_false(pg_is_usable(pg));
    assert_null(pg_run(pg, fine, NULL, &err));
    assert_int_equal(err.cls, ERR_RETRY);
}

/* Until that connection waits for a lock of another: asked inside the server, at most ten seconds. */
static void wait_until_blocked(struct pg *asker, const struct pg *waiter) {
    char sql[400];
    struct err err = {0};
    (void)snprintf(
        sql, sizeof sql,
        "do $$ begin for i in 1..1000 loop if cardinality(pg_blocking_pids(%d)) > 0 then return; end if; "
        "perform pg_sleep(0.01); end loop; raise 'nobody waits'; end $$",
        PQbackendPID(waiter->conn));
    assert_int_equal(pg_script(asker, sql, &err), 0);
}

/* Protocol section 2: one joined select ... for update returns torn contexts: its first table is read again
 * after the wait, the second as it was before. Locks first, then contexts, see one state. */
static void locks_before_contexts_see_one_state(void **state) {
    struct err err = {0};
    char table[64], sql[400];
    (void)state;
    (void)snprintf(table, sizeof table, "torn_%d", (int)getpid());
    (void)snprintf(
        sql, sizeof sql,
        "create table %s_a (id int primary key, n int); create table %s_b (id int primary key, n int); "
        "insert into %s_a values (1, 1); insert into %s_b values (1, 1)",
        table, table, table, table);
    assert_int_equal(pg_script(pg, sql, &err), 0);
    struct pg *other = pg_open(service("FAIRLEAD_DATABASE_URL"), NULL, &err);
    (void)snprintf(sql, sizeof sql, "begin; update %s_a set n = 2; update %s_b set n = 2", table, table);
    assert_int_equal(pg_script(other, sql, &err), 0);
    /* The reader waits in the server while the other commits. */
    assert_int_equal(pg_script(pg, "set lock_timeout = '10s'", &err), 0);
    (void)snprintf(sql, sizeof sql,
                   "select a.n, b.n from %s_a a join %s_b b using (id) where a.id = 1 for update of a", table,
                   table);
    assert_int_equal(PQsendQuery(pg->conn, sql), 1);
    assert_int_equal(PQflush(pg->conn), 0);
    wait_until_blocked(other, pg);
    assert_int_equal(pg_script(other, "commit", &err), 0);
    PGresult *torn = PQgetResult(pg->conn);
    assert_string_equal(PQgetvalue(torn, 0, 0), "2");
    assert_string_equal(PQgetvalue(torn, 0, 1), "1"); /* this is why */
    PQclear(torn);
    while ((torn = PQgetResult(pg->conn)))
        PQclear(torn);
    /* The order of coordinator/store/batch.c. */
    (void)snprintf(sql, sizeof sql, "begin; update %s_a set n = 3; update %s_b set n = 3", table, table);
    assert_int_equal(pg_script(other, sql, &err), 0);
    (void)snprintf(
        sql, sizeof sql,
        "begin; select id from %s_a where id = 1 for no key update; select a.n, b.n from %s_a a join %s_b b "
        "using (id)",
        table, table, table);
    assert_int_equal(PQsendQuery(pg->conn, sql), 1);
    assert_int_equal(PQflush(pg->conn), 0);
    wait_until_blocked(other, pg);
    assert_int_equal(pg_script(other, "commit", &err), 0);
    PQclear(PQgetResult(pg->conn));
    PQclear(PQgetResult(pg->conn));
    PGresult *whole = PQgetResult(pg->conn);
    assert_string_equal(PQgetvalue(whole, 0, 0), "3");
    assert_string_equal(PQgetvalue(whole, 0, 1), "3");
    PQclear(whole);
    while ((whole = PQgetResult(pg->conn)))
        PQclear(whole);
    (void)snprintf(sql, sizeof sql, "rollback; drop table %s_a, %s_b", table, table);
    assert_int_equal(pg_script(pg, sql, &err), 0);
    pg_close(other);
}

/* Whoever cuts it instead stores half of what came, or nothing, for ever. */
static void an_array_that_is_too_large_is_an_error_where_it_is_made(void **state) {
    struct err err = {0};
    static char big[1024 * 1024];
    struct row row = {{{7}}, big, 7, 0, {"", 0}};
    const void *pointers[65];
    struct pg_params params = {.arena = &arena};
    (void)state;
    memset(big, 'x', sizeof big - 1);
    for (size_t i = 0; i < 65; i++)
        pointers[i] = &row;
    pg_params_rows(&params, columns, 5, pointers, 65);
    assert_null(pg_run(pg, insert, &params, &err));
    assert_int_equal(err.cls, ERR_PARK);
    assert_non_null(strstr(err.text, "larger than 64 MiB"));
    assert_int_equal(pg_pipeline_begin(pg, &err), 0);
    assert_int_equal(pg_send(pg, insert, &params, &err), -1);
    pg_pipeline_end(pg);
    struct pg_params half = {.arena = &arena};
    pg_params_rows(&half, columns, 5, pointers, 32);
    PGresult *res = pg_run(pg, insert, &half, &err);
    assert_non_null(res);
    PQclear(res);
}

static void a_pipeline_may_be_of_any_length(void **state) {
    struct err err = {0};
    static char texts[400][32];
    (void)state;
    assert_int_equal(pg_pipeline_begin(pg, &err), 0);
    for (int i = 0; i < 400; i++) { /* each its own PREPARE */
        (void)snprintf(texts[i], sizeof texts[i], "select %d::bigint", i);
        assert_int_equal(pg_send(pg, texts[i], NULL, &err), 0);
    }
    assert_int_equal(pg_sync(pg, &err), 0);
    for (int i = 0; i < 400; i++) {
        PGresult *res = pg_next(pg, &err);
        assert_int_equal(pg_int(res, 0, 0), i);
        PQclear(res);
    }
    pg_pipeline_end(pg);
}

/* A server that turned read-only stays so for a session: it must be left, and the error must say which. */
static void a_session_that_turned_read_only_is_left(void **state) {
    struct err err = {0};
    (void)state;
    assert_true(pg_takes_writes(pg));
    assert_int_equal(pg_script(pg, "set default_transaction_read_only = on", &err), 0);
    assert_false(pg_takes_writes(pg));
    assert_true(pg_is_usable(pg)); /* it may still be read */
    assert_int_equal(pg_script(pg, "create table never (n int)", &err), -1);
    assert_int_equal(err.cls, ERR_RETRY);
    assert_string_equal(err.code, PG_READ_ONLY);
    assert_false(pg_is_usable(pg));
    /* Who writes finds nobody; who looks is served all the same. */
    const char *read_only = "default_transaction_read_only=on";
    assert_null(pg_open(service("FAIRLEAD_DATABASE_URL"), read_only, &err));
    assert_int_equal(err.cls, ERR_RETRY);
    assert_string_equal(err.code, PG_READ_ONLY);
    struct pg *reader = pg_open_any(service("FAIRLEAD_DATABASE_URL"), read_only, &err);
    assert_non_null(reader);
    assert_false(pg_takes_writes(reader));
    pg_close(reader);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rows_travel_as_arrays_and_come_back_the_same),
        TEST(an_error_says_what_follows_from_it),
        TEST(a_pipeline_that_fails_leaves_the_connection_usable),
        TEST(a_connection_that_is_cut_says_so),
        TEST(locks_before_contexts_see_one_state),
        TEST(an_array_that_is_too_large_is_an_error_where_it_is_made),
        TEST(a_pipeline_may_be_of_any_length),
        TEST(a_session_that_turned_read_only_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
