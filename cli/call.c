/* Talking to the server, and printing what it says. */
#include "base/clock.h"
#include "base/rnd.h"
#include "cli/cli.h"
#include "io/http.h"
#include "model/bundle_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MAX (BUNDLE_BYTES_MAX + 65536) /* the largest there is */

int cli_try(struct cli *cli, const char *method, const char *path, const json_t *body, long *ret_status,
            json_t **ret) {
    struct err err = {0};
    char authorization[300], key[100], url[700];
    cleanup_free char *text = body ? json_text(body) : NULL;
    const char *given = cli->key ? cli->key : cli_option(cli, "key", NULL);
    (void)snprintf(authorization, sizeof authorization, "Authorization: Bearer %s", cli->token);
    /* A key of our own for whatever changes something: a repeat after a broken connection is the same
     * request, and finds its answer. */
    (void)snprintf(key, sizeof key, "Idempotency-Key: cli-%016llx", (unsigned long long)rnd_u64());
    if (given)
        (void)snprintf(key, sizeof key, "Idempotency-Key: %.64s", given);
    (void)snprintf(url, sizeof url, "%s%s", cli->server, path);
    const char *const headers[] = {authorization, str_eq(method, "GET") ? "Accept: application/json" : key,
                                   NULL};
    int rc = EXIT_UNREACHABLE;
    for (int attempt = 0; attempt < 3 && rc == EXIT_UNREACHABLE; attempt++) {
        struct http_call call = HTTP_CALL_INIT(ANSWER_MAX);
        call.method = method;
        call.url = url;
        call.headers = headers;
        call.body = text;
        if (http_run(&call, &err) == 0) {
            rc = EXIT_OK;
            *ret_status = call.status;
            *ret = call.answer.n ? json_loadb(call.answer.s, call.answer.n, 0, NULL) : NULL;
        }
        http_release(&call);
    }
    if (rc == EXIT_UNREACHABLE)
        (void)fprintf(stderr, "fairlead: the server cannot be reached: %s\n", err.text);
    return rc;
}

/* The API names a field; who typed it knows the option. */
static const char *as_option(struct cli *cli, const char *sentence) {
    size_t n = strspn(sentence, "abcdefghijklmnopqrstuvwxyz_");
    char name[40];
    (void)snprintf(name, sizeof name, "%.*s", (int)n, sentence);
    for (char *p = name; *p; p++)
        *p = *p == '_' ? '-' : *p;
    for (const char *const *o = sentence[n] == ':' ? cli->command->options : NULL; o && *o; o++)
        if (str_starts(*o, name) && (*o)[n] == '=')
            return arena_printf(&cli->arena, "--%s%s", name, sentence + n);
    return sentence;
}

int cli_refused(struct cli *cli, long status, const json_t *answer) {
    const char *sentence = json_str(answer, "detail");
    if (sentence)
        (void)fprintf(stderr, "fairlead: %s\n", as_option(cli, sentence));
    else
        (void)fprintf(
            stderr,
            "fairlead: what answers at %s (status %ld) is no Fairlead coordinator; next: --server URL\n",
            cli->server, status);
    if (cli->verbose && answer) {
        (void)json_dumpf(answer, stderr, JSON_INDENT(2));
        (void)fprintf(stderr, "\n");
    }
    return EXIT_REFUSED;
}

int cli_call(struct cli *cli, const char *method, const char *path, const json_t *body, json_t **ret) {
    long status = 0;
    json_t *answer = NULL;
    int rc = cli_try(cli, method, path, body, &status, &answer);
    if (rc == EXIT_OK && (status >= 400 || (status == 200 && !answer)))
        rc = cli_refused(cli, status, answer);
    if (rc == EXIT_OK && ret)
        *ret = answer;
    else
        json_decref(answer);
    return rc;
}

struct following {
    bool (*each)(void *arg, const json_t *event);
    void *arg;
    int64_t after;
    bool enough, heard;
};

static bool take_event_line(void *arg, const char *line) {
    struct following *following = arg;
    following->heard = true;
    if (!str_starts(line, "data: "))
        return true; /* the id and the type stand in the data too; a lone colon is a sign of life */
    cleanup_json json_t *event = json_loads(line + 6, 0, NULL);
    if (!event)
        return true;
    following->after = json_int(event, "sequence", following->after);
    following->enough = !following->each(following->arg, event);
    return !following->enough;
}

int cli_follow(struct cli *cli, const char *path, int64_t after, bool (*each)(void *arg, const json_t *event),
               void *arg) {
    struct following following = {.each = each, .arg = arg, .after = after};
    char authorization[300], last[48], url[700];
    int silent = 0;
    (void)snprintf(authorization, sizeof authorization, "Authorization: Bearer %s", cli->token);
    (void)snprintf(url, sizeof url, "%s%s", cli->server, path);
    while (silent < 5) {
        struct err err = {0};
        struct http_call call = HTTP_CALL_INIT(1048576);
        (void)snprintf(last, sizeof last, "Last-Event-ID: %lld", (long long)following.after);
        call.headers = (const char *const[]){authorization, "Accept: text/event-stream", last, NULL};
        call.method = "GET";
        call.url = url;
        call.timeout_us = 3600 * CLOCK_S;
        call.line = take_event_line;
        call.arg = &following;
        following.heard = false;
        int rc = http_run(&call, &err);
        long status = call.status;
        http_release(&call);
        if (following.enough)
            return EXIT_OK;
        if (rc == 0 && status >= 400 && status < 500) {
            (void)fprintf(stderr, "fairlead: the server refused to be followed (%ld)\n", status);
            return EXIT_REFUSED;
        }
        silent = following.heard ? 0 : silent + 1;
        (void)usleep(following.heard ? 100000 : 1000000);
    }
    (void)fprintf(stderr, "fairlead: the server cannot be reached any more\n");
    return EXIT_UNREACHABLE;
}

/* A cell: texts without control characters, numbers, lists joined. */
static void cell(struct str *out, const json_t *v) {
    size_t i;
    json_t *item;
    if (json_is_string(v)) {
        struct arena arena = {0};
        for (const char *p = cli_time(&arena, json_string_value(v)); *p; p++)
            str_addf(out, "%c", (unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p);
        arena_release(&arena);
    } else if (json_is_integer(v)) {
        str_addf(out, "%lld", (long long)json_integer_value(v));
    } else if (json_is_boolean(v)) {
        str_adds(out, json_is_true(v) ? "yes" : "no");
    } else if (json_is_array(v)) {
        json_array_foreach(v, i, item) {
            str_adds(out, i ? "," : "");
            cell(out, item);
        }
    } else {
        str_adds(out, "-");
    }
}

void cli_say(const struct cli *cli, const json_t *answer, const char *sentence) {
    if (cli->json && answer)
        (void)json_dumpf(answer, stdout, JSON_INDENT(2));
    printf("%s\n", !cli->json ? sentence : answer ? "" : "{}");
}

const char *cli_time(struct arena *arena, const char *text) {
    static const char shape[] = "dddd-dd-ddTdd:dd:dd";
    for (size_t i = 0; i < sizeof shape - 1; i++)
        if (!text || (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i]))
            return text;
    return arena_printf(arena, "%.10s %.8s", text, text + 11);
}

void cli_print_one(const struct cli *cli, const json_t *record) {
    const char *key;
    json_t *v;
    struct arena arena = {0};
    if (cli->json) {
        (void)json_dumpf(record, stdout, JSON_INDENT(2));
        printf("\n");
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)record, key, v) {
        if (json_is_null(v))
            continue;
        cleanup_free char *text = json_is_object(v) || json_is_array(v) ? json_text(v) : NULL;
        if (text)
            printf("%-15s %s\n", key, text);
        else if (json_is_string(v))
            printf("%-15s %s\n", key, cli_time(&arena, json_string_value(v)));
        else if (json_is_boolean(v))
            printf("%-15s %s\n", key, json_is_true(v) ? "yes" : "no");
        else
            printf("%-15s %lld\n", key, (long long)json_integer_value(v));
    }
    arena_release(&arena);
}

void cli_print(const struct cli *cli, const json_t *rows, const char *const *columns) {
    enum { COLUMNS = 12 };
    size_t width[COLUMNS] = {0}, i;
    json_t *row;
    if (cli->json) {
        (void)json_dumpf(rows, stdout, JSON_INDENT(2));
        printf("\n");
        return;
    }
    for (int pass = 0; pass < 2; pass++) {
        for (int c = 0; columns[c] && c < COLUMNS; c++) {
            const char *title = strchr(columns[c], '=') + 1;
            if (strlen(title) > width[c])
                width[c] = strlen(title);
            if (pass)
                printf("%-*s%s", (int)width[c], title, columns[c + 1] ? "  " : "\n");
        }
        json_array_foreach(rows, i, row) {
            for (int c = 0; columns[c] && c < COLUMNS; c++) {
                char key[40];
                cleanup_str struct str text = STR_INIT(4096);
                (void)snprintf(key, sizeof key, "%.*s", (int)strcspn(columns[c], "="), columns[c]);
                cell(&text, json_object_get(row, key));
                if (text.n > width[c])
                    width[c] = text.n;
                if (pass)
                    printf("%-*s%s", columns[c + 1] ? (int)width[c] : 0, str_text(&text),
                           columns[c + 1] ? "  " : "\n");
            }
        }
    }
}
