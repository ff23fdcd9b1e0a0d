/* node enrol, bundle, reports: machines without a link, whose instructions and whose word somebody carries.
 */
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "cli/cli.h"
#include "model/bundle_format.h"
#include "model/names.h"

#include <stdio.h>
#include <string.h>

static int failed(const struct err *err) {
    (void)fprintf(stderr, "fairlead: %s\n", err->text);
    return EXIT_FAILED;
}

static json_t *read_json(const char *path, struct err *err) {
    cleanup_free char *text = NULL;
    size_t n;
    return file_read(path, BUNDLE_BYTES_MAX, &text, &n, err) < 0 ? NULL : json_parse(text, n, err);
}

/* ---- to the node ---- */

static void tell_bundle(struct cli *cli, const json_t *bundle, size_t images, int64_t bytes) {
    const char *file = cli->args[1];
    int64_t documents = json_int(bundle, "documents", 0), unfinished = json_int(bundle, "unfinished", 0);
    cleanup_json json_t *said =
        json_pack("{s:s, s:s, s:I, s:I, s:i, s:I}", "file", file, "made_at", json_str(bundle, "made_at"),
                  "documents", (json_int_t)documents, "unfinished", (json_int_t)unfinished, "images",
                  (int)images, "bytes", (json_int_t)bytes);
    const char *sentence = arena_printf(
        &cli->arena, "%lld documents and %zu images, %lld MB, are in %s: \"fairlead-agent import\" takes it",
        (long long)documents, images, (long long)(bytes / 1000000), file);
    if (unfinished)
        sentence =
            arena_printf(&cli->arena,
                         "%s. Of %lld apps not all is in it: they are being built or named, and a later "
                         "bundle says more",
                         sentence, (long long)unfinished);
    cli_say(cli, said, sentence);
}

int node_bundle(struct cli *cli, const struct command *command) {
    struct err err = {0};
    json_t *answer = NULL;
    int64_t bytes = 0;
    const char *path = arena_printf(&cli->arena, "%s/%s/bundle%s", command->path, cli->args[0],
                                    cli_flag(cli, "all") ? "?all=true" : "");
    int rc = cli_call(cli, "GET", path, NULL, &answer);
    if (rc != EXIT_OK)
        return rc;
    cleanup_json json_t *bundle = answer, *none = json_array();
    const json_t *images = cli_flag(cli, "no-images") ? none : json_object_get(bundle, "images");
    cleanup_free char *records = json_text(bundle);
    if (images_write(cli, images, records, cli->args[1], &bytes, &err) < 0)
        return err.cls == ERR_RETRY ? failed(&err), EXIT_UNREACHABLE : failed(&err);
    tell_bundle(cli, bundle, json_array_size(images), bytes);
    return EXIT_OK;
}

/* ---- from the node ---- */

/* The same file once more changes nothing. */
static int send_reports(struct cli *cli, const char *path, const json_t *envelope) {
    char key[HASH_HEX_SIZE];
    const char *text = json_string_value(envelope) ? json_string_value(envelope) : "";
    cleanup_json json_t *body = json_pack("{s:s}", "reports", text);
    const char *what = arena_printf(&cli->arena, "%s %s", path, text);
    cli->key = hash_hex(hash_of(what, strlen(what)), key);
    int rc = cli_call(cli, "POST", path, body, NULL);
    cli->key = NULL;
    return rc;
}

int node_reports(struct cli *cli, const struct command *command) {
    struct err err = {0};
    size_t i;
    json_t *envelope;
    cleanup_json json_t *said = read_json(cli->args[0], &err);
    const json_t *reports = json_object_get(said, "reports");
    if (!said)
        return failed(&err);
    if (!json_str(said, "name") || !name_is_valid(json_str(said, "name")) || !json_str(said, "made_at") ||
        !json_is_array(reports)) {
        (void)err_set(&err, ERR_PARK, "\"%s\" is no file of \"fairlead-agent export\"", cli->args[0]);
        return failed(&err);
    }
    const char *name = json_str(said, "name");
    char *made_at = arena_strdup(&cli->arena, json_str(said, "made_at"));
    (void)str_make_plain(made_at);
    const char *path = arena_printf(&cli->arena, "%s/%s/reports", command->path, name);
    json_array_foreach(reports, i, envelope) {
        int rc = send_reports(cli, path, envelope);
        if (rc != EXIT_OK)
            return rc;
    }
    cli_say(cli, said,
            arena_printf(&cli->arena,
                         "what node \"%s\" had to say at %s is on its way: \"fairlead instance list\"", name,
                         cli_time(&cli->arena, made_at)));
    return EXIT_OK;
}

/* ---- joining ---- */

/* What a stranger wrote becomes a header. */
static bool is_key(const char *key) {
    return key && strlen(key) == 64 && strspn(key, "0123456789abcdef") == 64;
}

int node_enrol(struct cli *cli, const struct command *command) {
    struct err err = {0};
    cleanup_json json_t *asked = read_json(cli->args[0], &err);
    const json_t *body = json_object_get(asked, "body");
    json_t *authority = NULL, *welcome = NULL;
    if (!asked)
        return failed(&err);
    if (!is_key(json_str(asked, "key")) || !json_is_object(body)) {
        (void)err_set(&err, ERR_PARK, "\"%s\" is no file of \"fairlead-agent enrol ask\"", cli->args[0]);
        return failed(&err);
    }
    int rc = cli_call(cli, "GET", "/v1/authority", NULL, &authority);
    cli->key = json_str(asked, "key"); /* of the code: asked again, it is answered again */
    if (rc == EXIT_OK)
        rc = cli_call(cli, "POST", command->path, body, &welcome);
    cli->key = NULL;
    cleanup_json json_t *answer = json_pack("{s:o*, s:o*}", "authority", authority, "welcome", welcome);
    if (rc != EXIT_OK)
        return rc;
    cleanup_free char *text = json_text(answer);
    if (file_write(cli->args[1], text, strlen(text), 0600, &err) < 0)
        return failed(&err);
    cli_say(cli, answer,
            arena_printf(&cli->arena,
                         "node \"%s\" has joined: carry %s to it, \"fairlead-agent enrol TOKEN %s\"",
                         json_str(json_object_get(answer, "welcome"), "name"), cli->args[1], cli->args[1]));
    return EXIT_OK;
}
