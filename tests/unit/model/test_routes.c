/* The table of routes: that it is whole, and that one path has one row. */
#include "base/json.h"
#include "base/str.h"
#include "model/principal.h"
#include "tests/support/check.h"

#include <string.h>

static const char *rest_of(enum route route, const char *path) {
    static char rest[128];
    const char *p;
    size_t n;
    if (!route_matches(&route_rows[route], path, &p, &n))
        return NULL;
    (void)snprintf(rest, sizeof rest, "%.*s", (int)n, p);
    return rest;
}

static void a_path_is_matched_part_by_part(void **state) {
    (void)state;
    assert_string_equal(rest_of(ROUTE_NODE_INVITE, "/v1/nodes/slave/invite"), "slave");
    assert_string_equal(rest_of(ROUTE_TENANT_GET, "/v1/tenants/harbour/office"), "harbour/office");
    assert_string_equal(rest_of(ROUTE_RELEASE_DEFAULT, "/v1/releases/wordpress/6.1-1/default"),
                        "wordpress/6.1-1");
    assert_string_equal(rest_of(ROUTE_PLANS_LIST, "/v1/plans"), "");
    assert_null(rest_of(ROUTE_PLANS_LIST, "/v1/plans/"));
    assert_null(rest_of(ROUTE_PLAN_GET, "/v1/plans/"));
    assert_null(rest_of(ROUTE_PLAN_GET, "/v1/plans/a/b"));
    assert_null(rest_of(ROUTE_TENANT_GET, "/v1/tenants/harbour"));
    assert_null(rest_of(ROUTE_TENANT_GET, "/v1/tenants//office"));
    assert_null(rest_of(ROUTE_NODE_INVITE, "/v1/nodes/slave/invitee"));
    assert_null(rest_of(ROUTE_NODE_INVITE, "/v1/nodes//invite"));
}

/* Any two rows of one method differ in a part that is no name: which one is meant never depends on order. */
static void no_path_has_two_routes(void **state) {
    (void)state;
    for (int i = 0; i < ROUTE_COUNT; i++)
        for (int k = 0; k < ROUTE_COUNT; k++) {
            char sample[200];
            size_t n = 0;
            const char *rest;
            for (const char *p = route_rows[i].path; *p; p++) {
                bool name = *p == '{';
                sample[n++] = name ? 'x' : *p;
                p += name ? strcspn(p, "}") : 0;
            }
            sample[n] = '\0';
            if (i != k && str_eq(route_rows[i].method, route_rows[k].method) &&
                route_matches(&route_rows[k], sample, &rest, &n))
                fail_msg("%s %s is also %s", route_rows[i].method, sample, route_rows[k].path);
        }
}

/* What opens nothing to strangers but what they need to join, to sign in, and to see that we are there; and
 * what the gate asks. */
static void who_has_no_token_may_join_and_sign_in(void **state) {
    (void)state;
    for (int i = 0; i < ROUTE_COUNT; i++)
        assert_int_equal(route_rows[i].scope == SCOPE_ANYBODY,
                         i == ROUTE_HEALTH || i == ROUTE_READY || i == ROUTE_ENROL || i == ROUTE_AUTHORITY ||
                             i == ROUTE_RENEW_CHALLENGE || i == ROUTE_RENEW || i == ROUTE_IMAGE_ADMIT ||
                             i == ROUTE_PASSWORD_SET || i == ROUTE_SESSION_CREATE ||
                             i == ROUTE_SIGN_IN_BEGIN || i == ROUTE_SIGN_IN_END);
}

static void every_row_is_whole(void **state) {
    (void)state;
    for (int i = 0; i < ROUTE_COUNT; i++) {
        const struct route_row *row = &route_rows[i];
        bool reads = str_eq(row->method, "GET");
        if (reads != !row->body)
            fail_msg("%s: a GET takes no body, everything else says which", row->id);
        if (!row->answer != (row->shape == SHAPE_NOTHING || row->shape == SHAPE_TEXT))
            fail_msg("%s: its answer", row->id);
        if (row->shape == SHAPE_PAGE && (!row->query || !str_eq(row->query[0].name, "after")))
            fail_msg("%s: a page is asked for by a cursor", row->id);
        for (const struct schema_field *f = row->answer; f && f->type != SCHEMA_END; f++)
            if (!f->help)
                fail_msg("%s: %s says nothing", row->id, f->name);
    }
}

static bool fits(enum route route, const char *text) {
    struct err err = {0};
    cleanup_json json_t *answer = json_loads(text, 0, NULL);
    assert_non_null(answer);
    return route_check_answer(&route_rows[route], answer, &err) == 0;
}

static void an_answer_is_compared_with_its_table(void **state) {
    (void)state;
    assert_true(fits(ROUTE_HEALTH, "{\"status\":\"ok\"}"));
    assert_false(fits(ROUTE_HEALTH, "{\"status\":7}"));
    assert_false(fits(ROUTE_HEALTH, "{\"status\":\"ok\",\"more\":1}"));
    assert_false(fits(ROUTE_HEALTH, "{}"));
    assert_true(fits(ROUTE_IMAGES_PRUNE, "{\"items\":[{\"image\":\"a\"}]}"));
    assert_false(fits(ROUTE_IMAGES_PRUNE, "{\"items\":[{\"picture\":\"a\"}]}"));
    assert_false(fits(ROUTE_PLANS_LIST, "{\"items\":[]}")); /* where is the next page? */
    assert_true(fits(ROUTE_PLANS_LIST, "{\"items\":[],\"next\":null}"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_matched_part_by_part),        cmocka_unit_test(no_path_has_two_routes),
        cmocka_unit_test(who_has_no_token_may_join_and_sign_in), cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(an_answer_is_compared_with_its_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
