/* status and doctor: how it goes, and what is wrong with what Fairlead stands on. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static void print_counts(const char *title, const json_t *counts) {
    const char *key;
    json_t *v;
    bool first = true;
    printf("%-10s", title);
    json_object_foreach((json_t *)(uintptr_t)counts, key, v) {
        printf("%s%lld %s", first ? "" : ", ", (long long)json_integer_value(v), key);
        first = false;
    }
    printf("%s\n", first ? "none" : "");
}

static void print_warnings(const json_t *status) {
    size_t i;
    json_t *node, *warning;
    json_array_foreach(json_object_get(status, "warnings"), i, warning) {
        printf("!  %s: %s; next: %s\n", json_str(warning, "check"), json_str(warning, "what"),
               json_str(warning, "next"));
    }
    if (json_is_true(json_object_get(status, "clock_held")))
        printf("!  the clock jumped: timers that stop or remove are held; next: fairlead clock get\n");
    if (json_int(status, "outbox_held", 0))
        printf("!  %lld records will never be taken by the broker; next: fairlead doctor\n",
               (long long)json_int(status, "outbox_held", 0));
    if (json_int(status, "dead_letters", 0))
        printf("!  %lld records could not be used; next: fairlead dead-letter list\n",
               (long long)json_int(status, "dead_letters", 0));
    json_array_foreach(json_object_get(status, "silent_nodes"), i, node) {
        printf("!  node \"%s\" is silent since %.19s\n", json_str(node, "name"), json_str(node, "since"));
    }
}

/* A list holds the first of them only; what it leaves out is said. */
static void print_title(const char *title, const char *which, const json_t *list, int64_t all) {
    if (all > (int64_t)json_array_size(list))
        printf("\n%s (%s %zu of %lld):\n", title, which, json_array_size(list), (long long)all);
    else
        printf("\n%s:\n", title);
}

static int64_t count_unwell(const json_t *health) {
    const char *key;
    json_t *v;
    int64_t n = 0;
    json_object_foreach((json_t *)(uintptr_t)health, key, v) {
        n += strcmp(key, "ok") == 0 ? 0 : json_integer_value(v);
    }
    return n;
}

int status_show(struct cli *cli, const struct command *command) {
    json_t *status = NULL;
    int rc = cli_call(cli, "GET", command->path, NULL, &status);
    if (rc != EXIT_OK)
        return rc;
    if (cli->json) {
        (void)json_dumpf(status, stdout, JSON_INDENT(2));
        printf("\n");
        json_decref(status);
        return EXIT_OK;
    }
    print_counts("nodes", json_object_get(status, "nodes"));
    print_counts("instances", json_object_get(status, "instances"));
    print_counts("health", json_object_get(status, "health"));
    printf("%-10s%lld rows on their way\n", "outbox", (long long)json_int(status, "outbox", 0));
    print_warnings(status);
    const json_t *stuck = json_object_get(status, "stuck"), *unwell = json_object_get(status, "unwell");
    if (json_array_size(stuck)) {
        print_title("stuck", "the oldest", stuck, json_int(status, "stuck_all", 0));
        cli_print(cli, stuck,
                  (const char *const[]){"customer=CUSTOMER", "tenant=TENANT", "instance=INSTANCE",
                                        "state=STATE", "step=STEP", "step_state=IS", "class=CLASS",
                                        "since=SINCE", "reason=WHY", NULL});
    }
    if (json_array_size(unwell)) {
        print_title("not well", "the first", unwell, count_unwell(json_object_get(status, "health")));
        cli_print(cli, unwell,
                  (const char *const[]){"customer=CUSTOMER", "tenant=TENANT", "instance=INSTANCE",
                                        "health=HEALTH", "since=SINCE", "reason=WHY", NULL});
    }
    if (!json_array_size(stuck) && !json_array_size(unwell) &&
        !json_array_size(json_object_get(status, "warnings")))
        printf("nothing is stuck\n");
    json_decref(status);
    return EXIT_OK;
}

int doctor_show(struct cli *cli, const struct command *command) {
    json_t *report = NULL, *check;
    size_t i;
    int bad = 0;
    const char *bundle = cli_option(cli, "bundle", NULL);
    int rc = cli_call(cli, "GET", command->path, NULL, &report);
    if (rc == EXIT_UNREACHABLE)
        (void)fprintf(stderr, "next: start fairlead-coordinator, or name it: --server URL (now %s)\n",
                      cli->server);
    if (rc != EXIT_OK)
        return rc;
    if (bundle) {
        json_decref(report);
        return bundle_write(cli, bundle);
    }
    const json_t *items = json_object_get(report, "items");
    if (cli->json)
        cli_print(cli, items, NULL);
    json_array_foreach(items, i, check) {
        bool good = json_is_true(json_object_get(check, "ok"));
        bad += !good;
        if (!cli->json)
            printf("%s %-13s %s\n", good ? "ok " : "BAD", json_str(check, "check"), json_str(check, "what"));
        if (!cli->json && !good)
            printf("    next: %s\n", json_str(check, "next"));
    }
    json_decref(report);
    return bad ? EXIT_FAILED : EXIT_OK;
}
