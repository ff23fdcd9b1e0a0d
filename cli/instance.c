/* instance: ask for one, look at it, ask something of it. */
#include "cli/instance_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* CUSTOMER/TENANT of --tenant. False: printed why. */
static bool split_tenant(struct cli *cli, const struct command *command, const char **customer,
                         const char **tenant) {
    const char *given = cli_option(cli, "tenant", getenv("FAIRLEAD_TENANT"));
    const char *slash = given ? strchr(given, '/') : NULL;
    if (!slash) {
        (void)cli_usage(command, "--tenant CUSTOMER/TENANT is required (or FAIRLEAD_TENANT)");
        return false;
    }
    *customer = arena_strndup(&cli->arena, given, (size_t)(slash - given));
    *tenant = arena_strdup(&cli->arena, slash + 1);
    return true;
}

static bool is_plain(const char *s) {
    return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(s);
}

static bool is_look(const struct command *command) {
    static const char *const looks[] = {"get", "steps", "events"};
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (str_eq(command->verb, looks[i]))
            return true;
    return false;
}

int cli_find_instance(struct cli *cli, const struct command *command, json_t **ret) {
    const char *customer, *tenant, *name = cli->args[0];
    json_t *list = NULL;
    if (strlen(name) == 36)
        return cli_call(cli, "GET", arena_printf(&cli->arena, "/v1/instances/%s", name), NULL, ret);
    if (!split_tenant(cli, command, &customer, &tenant))
        return EXIT_USAGE;
    if (!is_plain(name) || !is_plain(customer) || !is_plain(tenant))
        return cli_usage(command, "names have only lower-case letters, digits and hyphens");
    const char *path =
        arena_printf(&cli->arena, "/v1/instances?customer=%s&tenant=%s&name=%s", customer, tenant, name);
    int rc = cli_call(cli, "GET", path, NULL, &list);
    /* One that is gone has its history still. */
    if (rc == EXIT_OK && json_array_size(json_object_get(list, "items")) == 0 && is_look(command)) {
        json_decref(list);
        list = NULL;
        rc = cli_call(cli, "GET", arena_printf(&cli->arena, "%s&state=deleted", path), NULL, &list);
    }
    size_t n = json_array_size(json_object_get(list, "items"));
    if (rc == EXIT_OK && n == 0) {
        (void)fprintf(stderr, "fairlead: \"%s/%s\" has no instance named \"%s\".\n", customer, tenant, name);
        rc = EXIT_REFUSED;
    }
    if (rc == EXIT_OK)
        *ret = json_incref(json_array_get(json_object_get(list, "items"), n - 1)); /* the latest */
    json_decref(list);
    return rc;
}

int cli_find_part(struct cli *cli, const struct command *command, const char *part, json_t **ret) {
    json_t *instance = NULL;
    int rc = cli_find_instance(cli, command, &instance);
    if (rc == EXIT_OK)
        rc = cli_call(cli, "GET",
                      arena_printf(&cli->arena, "%s/%s/%s", command->path, json_str(instance, "id"), part),
                      NULL, ret);
    json_decref(instance);
    return rc;
}

void instance_print(struct cli *cli, const json_t *instance) {
    static const char *const keys[] = {"name",    "customer",   "tenant",        "app", "version", "state",
                                       "problem", "health",     "health_reason", "url", "plane",   "node",
                                       "size",    "created_at", "expires_at",    "id"};
    if (cli->json) {
        cli_print_one(cli, instance);
        return;
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (json_str(instance, keys[i]))
            printf("%-14s %s\n", keys[i], cli_time(&cli->arena, json_str(instance, keys[i])));
}

int instance_create(struct cli *cli, const struct command *command) {
    const char *customer, *tenant;
    int64_t days;
    json_t *answer = NULL;
    if (!split_tenant(cli, command, &customer, &tenant))
        return EXIT_USAGE;
    cleanup_json json_t *inputs = json_object();
    for (int i = 0; i < cli->options_n; i++) {
        const char *eq = strchr(cli->options[i].value, '=');
        if (!str_eq(cli->options[i].name, "set"))
            continue;
        if (!eq)
            return cli_usage(command, "--set takes KEY=VALUE");
        json_t *value = json_string(eq + 1);
        if (!value)
            return cli_usage(command, "a value of --set is not UTF-8");
        (void)json_object_set_new(
            inputs, arena_strndup(&cli->arena, cli->options[i].value, (size_t)(eq - cli->options[i].value)),
            value);
    }
    cleanup_json json_t *body =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:O}", "app", cli->args[0], "name", cli->args[1],
                  "customer", customer, "tenant", tenant, "plane", cli_option(cli, "plane", "main"), "size",
                  cli_option(cli, "size", "small"), "inputs", inputs);
    if (cli_option(cli, "version", NULL))
        (void)json_object_set_new(body, "version", json_string(cli_option(cli, "version", NULL)));
    cli_set_list(body, "requires", cli_option(cli, "require", NULL));
    cli_set_list(body, "prefers", cli_option(cli, "prefer", NULL));
    if (cli_option(cli, "host", NULL))
        (void)json_object_set_new(body, "host", json_string(cli_option(cli, "host", NULL)));
    if (str_to_int(cli_option(cli, "trial-days", NULL), 0, 3650, &days))
        (void)json_object_set_new(body, "trial_days", json_integer(days));
    else if (cli_option(cli, "trial-days", NULL))
        return cli_usage(command, "--trial-days takes a number of days");
    int rc = cli_call(cli, "POST", command->path, body, &answer);
    if (rc == EXIT_OK)
        rc = instance_conclude(cli, answer, 0, ASKED_FOR);
    json_decref(answer);
    return rc;
}

int instance_list(struct cli *cli, const struct command *command) {
    const char *env = cli_flag(cli, "all") ? NULL : getenv("FAIRLEAD_TENANT");
    const char *given = cli_option(cli, "tenant", env), *state = cli_option(cli, "state", NULL);
    const char *slash = given ? strchr(given, '/') : NULL;
    cleanup_json json_t *all = json_array();
    char after[64] = "";
    if ((given && !slash) || (state && !is_plain(state)) ||
        (given && strspn(given, "abcdefghijklmnopqrstuvwxyz0123456789-/") != strlen(given)))
        return cli_usage(command, "--tenant takes CUSTOMER/TENANT");
    for (;;) {
        json_t *page = NULL;
        cleanup_str struct str path = STR_INIT(600);
        str_addf(&path, "%s?after=%s", command->path, after);
        if (slash)
            str_addf(&path, "&customer=%.*s&tenant=%s", (int)(slash - given), given, slash + 1);
        if (state)
            str_addf(&path, "&state=%s", state);
        int rc = cli_call(cli, "GET", str_text(&path), NULL, &page);
        if (rc)
            return rc;
        (void)json_array_extend(all, json_object_get(page, "items"));
        const char *next = json_str(page, "next");
        (void)snprintf(after, sizeof after, "%s", next ? next : "");
        json_decref(page);
        if (!*after)
            break;
    }
    cli_print(cli, all,
              (const char *const[]){"customer=CUSTOMER", "tenant=TENANT", "name=NAME", "app=APP",
                                    "state=STATE", "health=HEALTH", "node=NODE", "url=URL",
                                    "expires_at=EXPIRES", NULL});
    return EXIT_OK;
}

int instance_get(struct cli *cli, const struct command *command) {
    json_t *instance = NULL;
    int rc = cli_find_instance(cli, command, &instance);
    if (rc == EXIT_OK)
        instance_print(cli, instance);
    json_decref(instance);
    return rc;
}

/* Stopping what is stopped is done, and so is starting what runs. */
static bool is_so_already(struct cli *cli, const char *verb, const char *id) {
    const char *wanted = str_eq(verb, "stop") ? "stopped" : str_eq(verb, "start") ? "running" : NULL;
    json_t *instance = NULL;
    bool so =
        wanted &&
        cli_call(cli, "GET", arena_printf(&cli->arena, "/v1/instances/%s", id), NULL, &instance) == EXIT_OK &&
        str_eq(json_str(instance, "state"), wanted);
    json_decref(instance);
    return so;
}

int instance_intent(struct cli *cli, const struct command *command) {
    json_t *instance = NULL, *answer = NULL;
    int64_t days = 0;
    const char *until = cli_option(cli, "until", NULL);
    if (cli_option(cli, "days", NULL) && !str_to_int(cli_option(cli, "days", NULL), 1, 3650, &days))
        return cli_usage(command, "--days takes a number of days, 1 to 3650");
    int rc = cli_find_instance(cli, command, &instance);
    if (rc)
        return rc;
    const char *id = json_str(instance, "id");
    cleanup_json json_t *body = json_object();
    if (days)
        (void)json_object_set_new(body, "days", json_integer(days));
    if (until)
        (void)json_object_set_new(body, "until", json_string(until));
    int64_t after = json_int(instance, "last_event", 0);
    long status = 0;
    const char *path = arena_printf(&cli->arena, "%s/%s/%s", command->path, id, command->verb);
    rc = cli_try(cli, "POST", path, body, &status, &answer);
    if (rc == EXIT_OK && status == 409 && is_so_already(cli, command->verb, id))
        cli_say(cli, answer,
                arena_printf(&cli->arena, "%s: %s already", json_str(instance, "name"),
                             str_eq(command->verb, "stop") ? "stopped" : "running"));
    else if (rc == EXIT_OK && status >= 400)
        rc = cli_refused(cli, status, answer);
    else if (rc == EXIT_OK && str_eq(command->verb, "extend") && !cli_flag(cli, "wait"))
        rc = instance_show_extended(cli, id, after);
    else if (rc == EXIT_OK)
        rc = instance_conclude(cli, answer, after, arena_printf(&cli->arena, "%s asked for", command->verb));
    json_decref(answer);
    json_decref(instance);
    return rc;
}

int instance_delete(struct cli *cli, const struct command *command) {
    json_t *instance = NULL, *answer = NULL;
    int rc = cli_find_instance(cli, command, &instance);
    if (rc)
        return rc;
    const char *id = json_str(instance, "id");
    int64_t after = json_int(instance, "last_event", 0);
    rc = cli_call(
        cli, "DELETE",
        arena_printf(&cli->arena, "%s/%s%s", command->path, id, cli_flag(cli, "purge") ? "?purge=true" : ""),
        NULL, &answer);
    if (rc == EXIT_OK)
        rc = instance_conclude(cli, answer, after, "delete asked for");
    json_decref(answer);
    json_decref(instance);
    return rc;
}

/* What its app keeps secret is shown by the agent there, and is nowhere else. */
static bool is_private(struct cli *cli, const json_t *instance) {
    json_t *plane = NULL;
    bool private =
        cli_call(cli, "GET", arena_printf(&cli->arena, "/v1/planes/%s", json_str(instance, "plane")), NULL,
                 &plane) == EXIT_OK &&
        str_eq(json_str(plane, "mode"), "private");
    json_decref(plane);
    return private;
}

int instance_credentials(struct cli *cli, const struct command *command) {
    json_t *instance = NULL, *answer = NULL;
    int rc = cli_find_instance(cli, command, &instance);
    const char *path =
        arena_printf(&cli->arena, "%s/%s/credentials", command->path, json_str(instance, "id"));
    if (rc == EXIT_OK)
        rc = cli_call(cli, "GET", path, NULL, &answer);
    bool none = rc == EXIT_OK && !cli->json && json_array_size(json_object_get(answer, "items")) == 0;
    if (none && is_private(cli, instance))
        printf(
            "its passwords never left the network that it runs in; there: fairlead-agent show-secrets %s\n",
            json_str(instance, "host"));
    else if (none)
        printf("there is nothing to show: it was confirmed already, is not made yet, or the app has none\n");
    else if (rc == EXIT_OK)
        cli_print(cli, json_object_get(answer, "items"),
                  (const char *const[]){"name=NAME", "user=USER", "value=VALUE", "title=FOR", NULL});
    if (rc == EXIT_OK && cli_flag(cli, "confirm"))
        rc = cli_call(cli, "POST", arena_printf(&cli->arena, "%s/confirm", path), json_object(), NULL);
    json_decref(answer);
    json_decref(instance);
    return rc;
}

int instance_provenance(struct cli *cli, const struct command *command) {
    json_t *answer = NULL;
    int rc = cli_find_part(cli, command, "provenance", &answer);
    const json_t *items = json_object_get(answer, "items");
    if (rc == EXIT_OK && !cli->json && json_array_size(items) == 0)
        printf("it has no images: none is built yet, or it needs none\n");
    else if (rc == EXIT_OK)
        cli_print(
            cli, items,
            (const char *const[]){"name=NAME", "source=SOURCE", "commit=COMMIT", "image_id=IMAGE ID", NULL});
    json_decref(answer);
    return rc;
}
