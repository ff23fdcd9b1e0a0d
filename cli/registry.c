/* registry: what is in the registry of images and serves nobody. The coordinator knows what is used, the
 * registry is the operator's: this command stands between them. */
#include "cli/cli.h"
#include "io/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MAX 500 /* what one call tells the coordinator */

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

static int tell(struct cli *cli, json_t *gone) {
    json_t *answer = NULL;
    cleanup_json json_t *body = json_pack("{s:O}", "images", gone);
    int rc = json_array_size(gone) ? cli_call(cli, "POST", "/v1/images/pruned", body, &answer) : EXIT_OK;
    json_decref(answer);
    (void)json_array_clear(gone);
    return rc;
}

static int take_out_all(struct cli *cli, const json_t *items) {
    const char *set = getenv("FAIRLEAD_REGISTRY"),
               *registry = cli_option(cli, "registry", set ? set : "127.0.0.1:5000");
    cleanup_json json_t *gone = json_array();
    struct err err = {0};
    size_t i, n = 0;
    json_t *item;
    int rc = EXIT_OK;
    json_array_foreach(items, i, item) {
        const char *image = json_str(item, "image");
        if (take_out(registry, image, &err) < 0) {
            (void)fprintf(stderr, "fairlead: %s: %s\n", registry, err.text);
            rc = err.cls == ERR_RETRY ? EXIT_UNREACHABLE : EXIT_FAILED;
            break;
        }
        (void)json_array_append(gone, json_object_get(item, "image"));
        n++;
        if (json_array_size(gone) == BATCH_MAX && (rc = tell(cli, gone)) != EXIT_OK)
            break;
    }
    int told = tell(cli, gone);
    if (!cli->json)
        printf("%zu images taken out of the registry%s\n", n,
               n ? "; their space is free after its own clean-up: docker-registry garbage-collect CONFIG"
                 : "");
    return rc != EXIT_OK ? rc : told;
}

int registry_prune(struct cli *cli, const struct command *command) {
    static const char *const columns[] = {"image=IMAGE", NULL};
    bool look = cli_flag(cli, "dry-run");
    int64_t days;
    json_t *answer = NULL;
    if (!str_to_int(cli_option(cli, "days", "30"), 0, 3650, &days))
        return cli_usage(command, "--days takes a number from 0 to 3650");
    cleanup_json json_t *body = json_pack("{s:I, s:b}", "days", (json_int_t)days, "look", look);
    int rc = cli_call(cli, "POST", command->path, body, &answer);
    const json_t *items = json_object_get(answer, "items");
    if (rc == EXIT_OK && (look || cli->json))
        cli_print(cli, items, columns);
    if (rc == EXIT_OK && !look)
        rc = take_out_all(cli, items);
    json_decref(answer);
    return rc;
}
