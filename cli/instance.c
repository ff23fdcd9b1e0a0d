/* instance: ask for one, look at it, wait for it. */
#include "base/clock.h"
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static void print_instance(struct cli *cli, const json_t *instance) {
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

static const char *event_text(struct arena *arena, const json_t *event) {
    const json_t *data = json_object_get(event, "data");
    const char *type = json_str(event, "type"), *step = json_str(data, "step"),
               *part = json_str(data, "part"), *reason = json_str(data, "reason"),
               *node = json_str(data, "node"), *health = json_str(data, "health"),
               *until = json_str(data, "until");
    const char *what = step ? step : health ? health : node ? node : until ? cli_time(arena, until) : "";
    return arena_printf(arena, "%s%*s%s%s%s%s%s", type, *what || reason ? 18 - (int)strlen(type) : 0, "",
                        what, part && *part ? " " : "", part ? part : "",
                        reason && *reason ? (*what ? ": " : "") : "", reason ? reason : "");
}

/* One event as it is shown; what a walk of `generation` or a later one ended in is remembered. */
struct shown {
    struct cli *cli;
    int64_t after, generation;
    bool quiet, ended;
    const char *last;
};

static void show_event(struct shown *shown, const json_t *event) {
    static const char *const ends[] = {"running", "stopped", "suspended", "deleted", "failed"};
    const char *at = json_str(event, "at"), *type = json_str(event, "type");
    shown->after = json_int(event, "sequence", shown->after);
    if (shown->cli->json && !shown->quiet)
        (void)json_dumpf(event, stdout, JSON_COMPACT);
    else if (!shown->quiet)
        printf("%.19s  %s", at ? cli_time(&shown->cli->arena, at) : "",
               event_text(&shown->cli->arena, event));
    if (!shown->quiet)
        printf("\n");
    (void)fflush(stdout);
    for (size_t k = 0; k < sizeof ends / sizeof *ends; k++)
        if (str_eq(type, ends[k]) && json_int(event, "generation", 0) >= shown->generation) {
            shown->ended = true;
            shown->last = ends[k];
        }
}

/* The events above shown->after, a page of them. */
static int print_events(struct shown *shown, const char *id) {
    json_t *page = NULL, *event;
    size_t i;
    int rc = cli_call(
        shown->cli, "GET",
        arena_printf(&shown->cli->arena, "/v1/instances/%s/events?after=%lld", id, (long long)shown->after),
        NULL, &page);
    json_array_foreach(json_object_get(page, "items"), i, event) {
        show_event(shown, event);
    }
    json_decref(page);
    return rc;
}

/* In a terminal: the steps of the walk as a table that is drawn again where it stands. Returns the lines
 * drawn. */
static int draw_steps(struct cli *cli, const char *id, int64_t generation, int drawn) {
    static const char *const marks[][2] = {
        {"waiting", " "}, {"open", ">"}, {"done", "+"}, {"parked", "!"}, {"dropped", "-"}};
    json_t *page = NULL, *step;
    size_t i;
    int lines = 0;
    if (cli_call(cli, "GET", arena_printf(&cli->arena, "/v1/instances/%s/steps", id), NULL, &page) != EXIT_OK)
        return drawn;
    if (drawn)
        printf("\033[%dA", drawn);
    json_array_foreach(json_object_get(page, "items"), i, step) {
        const char *mark = "?", *state = json_str(step, "state"), *problem = json_str(step, "problem");
        if (json_int(step, "generation", 0) != generation)
            continue;
        for (size_t k = 0; k < sizeof marks / sizeof *marks; k++)
            if (str_eq(marks[k][0], state))
                mark = marks[k][1];
        printf("\033[2K  %s %-8s %-6s %-8s %.90s\n", mark, json_str(step, "step"), json_str(step, "part"),
               state, problem ? problem : "");
        lines++;
    }
    for (; lines < drawn; lines++)
        printf("\033[2K\n");
    (void)fflush(stdout);
    json_decref(page);
    return lines;
}

/* What it came to: the whole instance for a program; for a person its address, or why there is none. */
static int show_end(struct cli *cli, const char *id) {
    json_t *instance = NULL;
    int rc = cli_call(cli, "GET", arena_printf(&cli->arena, "/v1/instances/%s", id), NULL, &instance);
    const char *state = json_str(instance, "state"), *url = json_str(instance, "url"),
               *problem = json_str(instance, "problem");
    if (rc == EXIT_OK && cli->json)
        print_instance(cli, instance);
    else if (rc == EXIT_OK && str_eq(state, "running") && url)
        printf("%s: running at %s\n", json_str(instance, "name"), url);
    else if (rc == EXIT_OK && problem)
        printf("%s: %s: %s\n", json_str(instance, "name"), state, problem);
    json_decref(instance);
    return rc;
}

/* Shows each step as it happens, until the walk has ended. */
static int wait_for(struct cli *cli, const char *id, int64_t generation, int64_t after) {
    int64_t seconds = 600, deadline;
    bool table = isatty(STDOUT_FILENO) && !cli->json;
    struct shown shown = {.cli = cli, .after = after, .generation = generation, .quiet = table || cli->json};
    int drawn = 0;
    (void)str_to_int(cli_option(cli, "timeout", "600"), 1, 86400, &seconds);
    deadline = clock_mono_us() + seconds * CLOCK_S;
    for (;;) {
        int rc = print_events(&shown, id);
        if (table)
            drawn = draw_steps(cli, id, generation, drawn);
        if (rc)
            return rc;
        if (shown.ended) {
            rc = show_end(cli, id);
            return rc ? rc : str_eq(shown.last, "failed") ? EXIT_FAILED : EXIT_OK;
        }
        if (clock_mono_us() > deadline) {
            (void)fprintf(stderr,
                          "fairlead: it has not ended within %lld s; it goes on: fairlead instance events\n",
                          (long long)seconds);
            return EXIT_TIMEOUT;
        }
        (void)usleep(300000);
    }
}

#define ASKED_FOR "asked for"

static int conclude(struct cli *cli, const json_t *answer, int64_t after, const char *what) {
    const char *id = json_str(answer, "id");
    if (cli->json && !cli_flag(cli, "wait")) {
        cli_print_one(cli, answer);
    } else if (!cli->json) {
        const char *url = json_str(answer, "url");
        bool made = str_eq(what, ASKED_FOR);
        printf("%s: %s%s%s\n", json_str(answer, "name"), what, made && url ? "; it will answer at " : "",
               made && url ? url : "");
    }
    return cli_flag(cli, "wait") ? wait_for(cli, id, json_int(answer, "generation", 1), after) : EXIT_OK;
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
    if (cli_option(cli, "host", NULL))
        (void)json_object_set_new(body, "host", json_string(cli_option(cli, "host", NULL)));
    if (str_to_int(cli_option(cli, "trial-days", NULL), 0, 3650, &days))
        (void)json_object_set_new(body, "trial_days", json_integer(days));
    else if (cli_option(cli, "trial-days", NULL))
        return cli_usage(command, "--trial-days takes a number of days");
    int rc = cli_call(cli, "POST", command->path, body, &answer);
    if (rc == EXIT_OK)
        rc = conclude(cli, answer, 0, ASKED_FOR);
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
        print_instance(cli, instance);
    json_decref(instance);
    return rc;
}

/* Is it among what happened behind that event? */
static bool was_extended(struct cli *cli, const char *id, int64_t after) {
    json_t *page = NULL, *event;
    size_t i;
    bool was = false;
    if (cli_call(cli, "GET",
                 arena_printf(&cli->arena, "/v1/instances/%s/events?after=%lld", id, (long long)after), NULL,
                 &page) == EXIT_OK) {
        json_array_foreach(json_object_get(page, "items"), i, event) was =
            was || str_eq(json_str(event, "type"), "extended");
    }
    json_decref(page);
    return was;
}

static int show_extended(struct cli *cli, const char *id, int64_t after) {
    json_t *instance = NULL;
    int rc = cli_call(cli, "GET", arena_printf(&cli->arena, "/v1/instances/%s", id), NULL, &instance);
    const char *until = json_str(instance, "expires_at");
    if (rc == EXIT_OK && cli->json)
        print_instance(cli, instance);
    else if (rc == EXIT_OK && until && !was_extended(cli, id, after))
        printf("%s: asked for; its end moves when what is under way has ended (it is %s now)\n",
               json_str(instance, "name"), cli_time(&cli->arena, until));
    else if (rc == EXIT_OK)
        printf("%s: %s%s\n", json_str(instance, "name"), until ? "runs until " : "it has no end",
               until ? cli_time(&cli->arena, until) : "");
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
        rc = show_extended(cli, id, after);
    else if (rc == EXIT_OK)
        rc = conclude(cli, answer, after, arena_printf(&cli->arena, "%s asked for", command->verb));
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
        rc = conclude(cli, answer, after, "delete asked for");
    json_decref(answer);
    json_decref(instance);
    return rc;
}

static bool show_followed(void *arg, const json_t *event) {
    show_event(arg, event);
    return true;
}

int instance_events(struct cli *cli, const struct command *command) {
    json_t *instance = NULL;
    struct shown shown = {.cli = cli};
    int rc = cli_find_instance(cli, command, &instance);
    const char *id = json_str(instance, "id");
    if (rc == EXIT_OK && cli_flag(cli, "f"))
        rc = cli_follow(cli, arena_printf(&cli->arena, "%s/%s/events", command->path, id), 0, show_followed,
                        &shown);
    else
        for (int64_t before = -1; rc == EXIT_OK && shown.after != before;) {
            before = shown.after;
            rc = print_events(&shown, id);
        }
    json_decref(instance);
    return rc;
}

int instance_steps(struct cli *cli, const struct command *command) {
    json_t *instance = NULL, *steps = NULL, *step;
    size_t i;
    int rc = cli_find_instance(cli, command, &instance);
    if (rc == EXIT_OK)
        rc = cli_call(cli, "GET",
                      arena_printf(&cli->arena, "%s/%s/steps", command->path, json_str(instance, "id")), NULL,
                      &steps);
    if (rc == EXIT_OK) {
        const json_t *items = json_object_get(steps, "items");
        cli_print(cli, items,
                  (const char *const[]){"generation=GEN", "intent=INTENT", "step=STEP", "part=PART",
                                        "state=STATE", "attempt=TRY", "class=CLASS", "problem=REASON", NULL});
        json_array_foreach(items, i, step) {
            if (!cli->json && json_str(step, "problem") && json_str(step, "lines"))
                printf("\nlast lines of %s:\n%s\n", json_str(step, "step"), json_str(step, "lines"));
        }
    }
    json_decref(steps);
    json_decref(instance);
    return rc;
}

int instance_credentials(struct cli *cli, const struct command *command) {
    json_t *instance = NULL, *answer = NULL;
    int rc = cli_find_instance(cli, command, &instance);
    const char *path =
        arena_printf(&cli->arena, "%s/%s/credentials", command->path, json_str(instance, "id"));
    if (rc == EXIT_OK)
        rc = cli_call(cli, "GET", path, NULL, &answer);
    if (rc == EXIT_OK && !cli->json && json_array_size(json_object_get(answer, "items")) == 0)
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
