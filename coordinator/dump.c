#include "coordinator/dump.h"

#include "base/metrics.h"
#include "base/str.h"
#include "coordinator/store/columns.h"
#include "coordinator/topics.h"
#include "model/catalog.h"
#include "model/principal.h"
#include "sql/queries.h"

#include <stdio.h>

static void print_walk(enum walk walk) {
    printf("\n### %s\n\n%s\n\n| act | step | of | wants | after | when the release has | |\n| --- | --- | "
           "--- | --- | --- | --- | "
           "--- |\n",
           walk_rows[walk].name, walk_rows[walk].what);
    static const char *const wants[] = {"", "on", "off", "ended", "absent"};
    static const struct {
        unsigned bit;
        const char *name;
    } needs[] = {{NEED_NOOP, "noop"}, {NEED_IMAGE, "images"}, {NEED_STACK, "a stack"}, {NEED_NAME, "a name"}};
    for (int i = 0; i < act_rows_n; i++) {
        const struct act_row *row = &act_rows[i];
        if (row->walk != walk)
            continue;
        printf("| %s | %s | %s | %s | %s | ", row->name, step_rows[row->step].name,
               row->of == OF_SERVING ? "the set that serves" : "the instance", wants[row->want], row->after);
        for (size_t k = 0; k < sizeof needs / sizeof *needs; k++)
            printf("%s", row->needs & needs[k].bit ? needs[k].name : "");
        printf(" | %s |\n", row->what);
    }
}

/* Whose nodes carry a step out; "": none. */
static const char *role_of(enum step_kind step) {
    const struct order_row *order = order_find(step);
    enum document_kind kind = document_kind_of_step(step);
    if (order)
        return role_name(order->role);
    return kind < DOCUMENT_KIND_COUNT ? role_name(document_rows[kind].role) : "";
}

static void print_tables(void) {
    static const char *const carriers[] = {"engine", "order", "work", "document"};
    printf("# States\n\nPrinted by `fairlead-coordinator tables` from "
           "lib/model/tables.def.\n\n```mermaid\nstateDiagram-v2\n"
           "    [*] --> new\n");
    for (int i = 0; i < transition_rows_n; i++)
        printf("    %s --> %s\n", state_rows[transition_rows[i].from].name,
               state_rows[transition_rows[i].to].name);
    printf("    deleted --> [*]\n```\n\n| state | meaning |\n| --- | --- |\n");
    for (int i = 0; i < STATE_COUNT; i++)
        printf("| %s | %s |\n", state_rows[i].name, state_rows[i].what);
    printf("\n## What may be asked\n\nWhat is not listed is refused with 409.\n\n| state | request | walk | "
           "|\n| --- | --- | --- | --- |\n");
    for (int i = 0; i < cell_rows_n; i++)
        printf("| %s | %s | %s | %s |\n", state_rows[cell_rows[i].state].name,
               intent_rows[cell_rows[i].intent].name, walk_rows[cell_rows[i].walk].name, cell_rows[i].what);
    printf("\n## Roles of nodes\n\n| role | what it does |\n| --- | --- |\n");
    for (int i = 0; i < ROLE_COUNT; i++)
        printf("| %s | %s |\n", role_rows[i].name, role_rows[i].what);
    printf("\n## Steps\n\n| step | carried by | of nodes with the role | sent again after | tries | first "
           "delay | what "
           "|\n| --- | --- | --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < STEP_COUNT; i++)
        printf("| %s | %s | %s | %d s | %d | %d s | %s |\n", step_rows[i].name,
               carriers[step_rows[i].carrier], role_of((enum step_kind)i), step_rows[i].deadline_s,
               step_rows[i].attempts, step_rows[i].backoff_s, step_rows[i].what);
    printf("\n## Walks\n");
    for (int i = 0; i < WALK_COUNT; i++)
        if (i != WALK_NONE && i != WALK_RETRY)
            print_walk((enum walk)i);
}

static void print_events(void) {
    printf("# Events\n\nPrinted by `fairlead-coordinator events` from lib/model/tables.def.\n\n"
           "Topic `" TOPIC_EVENTS
           "`, key: instance. CloudEvents 1.0 in binary mode: `ce_id`, `ce_source`, `ce_type`,\n"
           "`ce_subject` (the instance), `ce_time`, `ce_sequence` (rises by one within the instance), "
           "`ce_tenant`,\n"
           "`ce_traceparent`; the value is JSON. Delivery is at least once: `ce_id` tells a repeat. Kept for "
           "ever in the\n"
           "table `events`.\n\nTypes, `dev.fairlead.instance.TYPE.v1`:\n\n| type | data |\n| --- | --- |\n");
    for (int i = 0; i < EVENT_COUNT; i++)
        printf("| `%s` | %s |\n", event_rows[i].type, event_rows[i].data);
}

static void print_fields(const char *what, const struct schema_field *fields) {
    cleanup_free char *rows = fields && fields->name ? schema_markdown(fields) : NULL;
    if (rows)
        printf("\n%s:\n\n%s", what, rows);
}

static const char *scope_name(const struct route_row *row) {
    return row->scope == SCOPE_ANYBODY ? "(none)"
           : row->scope == SCOPE_SELF  ? "(any token)"
                                       : scope_rows[row->scope].name;
}

/* For the test that tries each route as everybody: a line each. */
static void print_matrix(void) {
    for (int i = 0; i < ROUTE_COUNT; i++)
        printf("%s\t%s\t%s\t%s\t%s\n", route_rows[i].id, route_rows[i].method, route_rows[i].path,
               route_rows[i].scope == SCOPE_ANYBODY ? "-"
               : route_rows[i].scope == SCOPE_SELF  ? "*"
                                                    : scope_name(&route_rows[i]),
               route_rows[i].reach == REACH_OWN ? "own" : "all");
}

static void print_routes(void) {
    static const char *const answers[] = {[SHAPE_ONE] = "Answer",
                                          [SHAPE_PAGE] = "Answer: a page, `items` and `next`; each item",
                                          [SHAPE_ITEMS] = "Answer: `items`; each item"};
    printf(
        "# Routes\n\nPrinted by `fairlead-coordinator routes` from lib/model/routes.def. A field that is not "
        "required may be null in an\nanswer. What holds for all of them: [API.md](API.md).\n\n"
        "What a scope opens:\n\n| scope | |\n| --- | --- |\n");
    for (int i = 0; i < SCOPE_COUNT; i++)
        printf("| %s | %s |\n", scope_rows[i].name, scope_rows[i].what);
    printf("\nWho reaches only a customer, a tenant or a plane finds nothing else where *of* says own, and "
           "is refused where it "
           "says all.\n\n| method | path | scope | of | |\n| --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < ROUTE_COUNT; i++)
        printf("| %s | `%s` | %s | %s | %s |\n", route_rows[i].method, route_rows[i].path,
               scope_name(&route_rows[i]), route_rows[i].reach == REACH_OWN ? "own" : "all",
               route_rows[i].help);
    for (int i = 0; i < ROUTE_COUNT; i++) {
        const struct route_row *row = &route_rows[i];
        printf("\n## %s %s\n\n%s%s.\n", row->method, row->path, row->help,
               row->shape == SHAPE_NOTHING ? "; answers 204" : "");
        print_fields("Query", row->query);
        print_fields("Body", row->body);
        if (row->answer)
            print_fields(answers[row->shape], row->answer);
    }
}

static void print_catalogue(void) {
    cleanup_free char *rows = schema_markdown(catalog_fields);
    printf("# app.yaml\n\nPrinted by `fairlead-coordinator catalogue` from lib/model/catalog.c.\n\n%s", rows);
}

static void print_metrics(void) {
    cleanup_str struct str out = STR_INIT(65536);
    metrics_print_markdown(&out);
    printf("# Metrics\n\nPrinted by `fairlead-coordinator metrics` from lib/base/metrics.def. Coordinator: "
           "`GET /metrics`; "
           "worker: its option `metrics`.\n\n%s",
           str_text(&out));
}

/* Every order and document that the engine can emit: `fairlead-worker performs` must list the same. */
static void print_emits(void) {
    for (int i = 0; i < STEP_COUNT; i++) {
        const struct order_row *order = order_find((enum step_kind)i);
        if (step_rows[i].carrier == CARRIER_ORDER || step_rows[i].carrier == CARRIER_WORK)
            printf("order %s\n", order ? order->topic : "without a topic");
        else if (step_rows[i].carrier == CARRIER_DOCUMENT)
            printf("document %s\n", step_rows[i].name);
    }
}

/* Statements as PostgreSQL gets them. */
static void print_statements(void) {
    for (int t = 0; t < TABLE_COUNT; t++) {
        const struct table_statements *s = table_statements((enum table)t);
        printf("-- %s, new rows\n%s\n\n", table_rows[t].name, s->insert);
        if (s->update)
            printf("-- %s, changed rows\n%s\n\n", table_rows[t].name, s->update);
    }
    for (const struct sql_script *s = sql_queries; s->name; s++)
        printf("-- %s\n%s\n", s->name, table_statement(s->text));
}

bool dump_print(const char *what, const struct conf_row *conf) {
    if (str_eq(what, "tables"))
        print_tables();
    else if (str_eq(what, "events"))
        print_events();
    else if (str_eq(what, "routes"))
        print_routes();
    else if (str_eq(what, "matrix"))
        print_matrix();
    else if (str_eq(what, "catalogue"))
        print_catalogue();
    else if (str_eq(what, "metrics"))
        print_metrics();
    else if (str_eq(what, "emits"))
        print_emits();
    else if (str_eq(what, "statements"))
        print_statements();
    else if (str_eq(what, "config"))
        conf_print_markdown(conf, stdout);
    else if (str_eq(what, "sample"))
        conf_print_sample(conf, "fairlead-coordinator", stdout);
    else
        return false;
    return true;
}
