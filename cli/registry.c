/* registry: what is in the registry of images and serves nobody. The coordinator knows what is used, the
 * registry is the operator's: this command stands between them. */
#include "cli/cli.h"
#include "io/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 20
#define LOOK_MAX 1000

/* 0: it is not there any more. */
static int take_out(const char *registry, const char *image, struct err *err) {
    char url[700];
    const char *at = strchr(image, '@');
    (void)snprintf(url, sizeof url, "%s%s/v2/%.*s/manifests/%s", strstr(registry, "://") ? "" : "http://",
                   registry, (int)(at - image), image, at + 1);
    struct http_call call = HTTP_CALL_INIT(65536);
    call.method = "DELETE";
    call.url = url;
    int rc = http_run(&call, err);
    if (rc == 0 && call.status == 405)
        rc = err_set(err, ERR_PARK,
                     "the registry does not allow it: set storage.delete.enabled in its configuration (or "
                     "REGISTRY_STORAGE_DELETE_ENABLED=true), and start it again");
    else if (rc == 0 && call.status != 202 && call.status != 404)
        rc = err_set(err, ERR_PARK, "the registry answers with status %ld", call.status);
    http_release(&call);
    return rc;
}

/* Those of one answer; what is gone is told, however it ends. *ret_n counts them. */
static int take_out_these(struct cli *cli, const json_t *items, size_t *ret_n) {
    const char *set = getenv("FAIRLEAD_REGISTRY"),
               *registry = cli_option(cli, "registry", set ? set : "127.0.0.1:5000");
    cleanup_json json_t *gone = json_array();
    struct err err = {0};
    size_t i;
    json_t *item, *answer = NULL;
    int rc = EXIT_OK;
    json_array_foreach(items, i, item) {
        if (take_out(registry, json_str(item, "image"), &err) < 0) {
            (void)fprintf(stderr, "fairlead: %s: %s\n", registry, err.text);
            rc = err.cls == ERR_RETRY ? EXIT_UNREACHABLE : EXIT_FAILED;
            break;
        }
        (void)json_array_append(gone, json_object_get(item, "image"));
    }
    *ret_n += json_array_size(gone);
    cleanup_json json_t *body = json_pack("{s:O}", "images", gone);
    int told = json_array_size(gone) ? cli_call(cli, "POST", "/v1/images/pruned", body, &answer) : EXIT_OK;
    json_decref(answer);
    return rc != EXIT_OK ? rc : told;
}

static int ask(struct cli *cli, const char *path, int64_t days, int64_t most, bool look, json_t **ret) {
    cleanup_json json_t *body =
        json_pack("{s:I, s:I, s:b}", "days", (json_int_t)days, "most", (json_int_t)most, "look", look);
    return cli_call(cli, "POST", path, body, ret);
}

/* A few at a time, each asked for right before: what somebody began to use meanwhile is not among them. */
static int take_out_all(struct cli *cli, const char *path, int64_t days) {
    size_t n = 0, in_answer;
    int rc;
    do {
        json_t *answer = NULL;
        rc = ask(cli, path, days, BATCH, false, &answer);
        in_answer = json_array_size(json_object_get(answer, "items"));
        if (rc == EXIT_OK)
            rc = take_out_these(cli, json_object_get(answer, "items"), &n);
        json_decref(answer);
    } while (rc == EXIT_OK && in_answer == BATCH);
    cleanup_json json_t *said = json_pack("{s:I}", "taken_out", (json_int_t)n);
    cli_say(
        cli, said,
        arena_printf(
            &cli->arena, "%zu images taken out of the registry%s", n,
            n ? "; their space is free after its own clean-up: docker-registry garbage-collect CONFIG" : ""));
    return rc;
}

int registry_prune(struct cli *cli, const struct command *command) {
    static const char *const columns[] = {"image=IMAGE", NULL};
    int64_t days;
    json_t *answer = NULL;
    if (!str_to_int(cli_option(cli, "days", "30"), 0, 3650, &days))
        return cli_usage(command, "--days takes a number from 0 to 3650");
    if (!cli_flag(cli, "dry-run"))
        return take_out_all(cli, command->path, days);
    int rc = ask(cli, command->path, days, LOOK_MAX, true, &answer);
    if (rc == EXIT_OK)
        cli_print(cli, json_object_get(answer, "items"), columns);
    json_decref(answer);
    return rc;
}
