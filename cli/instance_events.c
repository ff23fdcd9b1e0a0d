/* instance: what happens to one; while somebody waits for it, and afterwards. */
#include "base/clock.h"
#include "cli/instance_own.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
    bool extended; /* which is an end where nothing has to start for it */
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
    shown->extended =
        shown->extended || (str_eq(type, "extended") &&
                            json_int(json_object_get(event, "data"), "generation", 0) >= shown->generation);
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
        instance_print(cli, instance);
    else if (rc == EXIT_OK && str_eq(state, "running") && url)
        printf("%s: running at %s\n", json_str(instance, "name"), url);
    else if (rc == EXIT_OK && problem)
        printf("%s: %s: %s\n", json_str(instance, "name"), state, problem);
    json_decref(instance);
    return rc;
}

/* More time wakes an app that was suspended; of any other it is the whole of what was asked for. */
static bool is_extended(struct shown *shown, const char *id) {
    json_t *instance = NULL;
    bool is = shown->extended &&
              cli_call(shown->cli, "GET", arena_printf(&shown->cli->arena, "/v1/instances/%s", id), NULL,
                       &instance) == EXIT_OK &&
              !str_eq(json_str(instance, "state"), "suspended");
    json_decref(instance);
    return is;
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
        if (shown.ended || is_extended(&shown, id)) {
            rc = show_end(cli, id);
            return rc ? rc : shown.ended && str_eq(shown.last, "failed") ? EXIT_FAILED : EXIT_OK;
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

int instance_conclude(struct cli *cli, const json_t *answer, int64_t after, const char *what) {
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

int instance_show_extended(struct cli *cli, const char *id, int64_t after) {
    json_t *instance = NULL;
    int rc = cli_call(cli, "GET", arena_printf(&cli->arena, "/v1/instances/%s", id), NULL, &instance);
    const char *until = json_str(instance, "expires_at");
    if (rc == EXIT_OK && cli->json)
        instance_print(cli, instance);
    else if (rc == EXIT_OK && until && !was_extended(cli, id, after))
        printf("%s: asked for; its end moves when what is under way has ended (it is %s now)\n",
               json_str(instance, "name"), cli_time(&cli->arena, until));
    else if (rc == EXIT_OK)
        printf("%s: %s%s\n", json_str(instance, "name"), until ? "runs until " : "it has no end",
               until ? cli_time(&cli->arena, until) : "");
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
    json_t *steps = NULL, *step;
    size_t i;
    int rc = cli_find_part(cli, command, "steps", &steps);
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
    return rc;
}
