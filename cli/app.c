/* app: folders of the catalogue become releases. */
#include "base/clock.h"
#include "base/file.h"
#include "base/yaml.h"
#include "cli/cli.h"
#include "model/catalog.h"
#include "model/names.h"
#include "model/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct folder {
    char name[64];
    json_t *spec;
    char *template;
};

static int read_folder(const char *dir, struct folder *ret, struct err *err) {
    char path[600], clean[512];
    cleanup_free char *app = NULL;
    size_t n;
    cleanup_free char *real = realpath(dir, NULL); /* of "." too: the folder's name counts */
    if (!real)
        return err_errno(err, ERR_PARK, "\"%s\"", dir);
    (void)snprintf(clean, sizeof clean, "%s", real);
    const char *slash = strrchr(clean, '/');
    (void)snprintf(ret->name, sizeof ret->name, "%s", slash ? slash + 1 : clean);
    if (!name_is_valid(ret->name))
        return err_set(err, ERR_PARK, "the folder's name is the app's: it must be %s", NAME_RULE);
    (void)snprintf(path, sizeof path, "%s/app.yaml", clean);
    if (file_read(path, YAML_BYTES_MAX, &app, &n, err) < 0)
        return -1;
    ret->spec = yaml_parse(path, app, n, err);
    if (!ret->spec)
        return -1;
    (void)snprintf(path, sizeof path, "%s/compose.yaml", clean);
    if (file_read(path, YAML_BYTES_MAX, &ret->template, &n, err) < 0)
        return -1;
    struct release *release = release_parse((struct uuid){0}, ret->name, NULL, ret->spec, ret->template, err);
    if (!release)
        return err_wrap(err, "%s/app.yaml", clean);
    json_decref(ret->spec);
    ret->spec = json_incref(release->spec);
    release_free(release);
    return template_check(ret->template, ret->spec, err);
}

static void release_folder(struct folder *folder) {
    json_decref(folder->spec);
    free(folder->template);
}

int app_check(struct cli *cli, const struct command *command) {
    struct err err = {0};
    struct folder folder = {0};
    (void)command;
    int rc = read_folder(cli->args[0], &folder, &err);
    if (rc < 0)
        (void)fprintf(stderr, "fairlead: %s\n", err.text);
    else
        cli_say(cli, folder.spec,
                arena_printf(&cli->arena, "%s %s: good", folder.name, json_str(folder.spec, "version")));
    release_folder(&folder);
    return rc < 0 ? EXIT_FAILED : EXIT_OK;
}

#define NOT_ASKED "not asked yet"

/* The sources of a release as rows: image, state, commit, problem. */
static json_t *source_rows(const json_t *release) {
    json_t *rows = json_array(), *image;
    const char *name;
    json_object_foreach(json_object_get(json_object_get(release, "spec"), "images"), name, image) {
        json_t *row = json_deep_copy(json_object_get(json_object_get(release, "sources"), name));
        if (!row)
            row = json_pack("{s:s}", "state",
                            json_is_true(json_object_get(image, "follow")) ? "follows" : NOT_ASKED);
        (void)json_object_set_new(row, "image", json_string(name));
        (void)json_object_set(row, "repository", json_object_get(image, "repository"));
        (void)json_object_set(row, "ref", json_object_get(image, "ref"));
        (void)json_array_append_new(rows, row);
    }
    return rows;
}

int app_sources(struct cli *cli, const struct command *command) {
    static const char *const columns[] = {"image=IMAGE",   "repository=REPOSITORY", "ref=REF", "state=STATE",
                                          "commit=COMMIT", "problem=PROBLEM",       NULL};
    json_t *release = NULL;
    int rc =
        cli_call(cli, "GET", arena_printf(&cli->arena, "%s/%s", command->path, cli->args[0]), NULL, &release);
    cleanup_json json_t *rows = rc == EXIT_OK ? source_rows(release) : NULL;
    if (rows)
        cli_print(cli, rows, columns);
    json_decref(release);
    return rc;
}

/* What keeps the open ones so, where that is known. */
static void tell_open(const json_t *rows, int64_t seconds) {
    json_t *source;
    size_t i;
    bool told = false;
    json_array_foreach(rows, i, source) {
        const char *problem = json_str(source, "problem");
        if (!str_eq(json_str(source, "state"), "open") || !problem)
            continue;
        (void)fprintf(stderr, "fairlead: images.%s: %s\n", json_str(source, "image"), problem);
        told = true;
    }
    (void)fprintf(stderr, "fairlead: %s within %lld s; it goes on: fairlead app sources APP/VERSION\n",
                  told ? "that has not changed" : "no builder has answered", (long long)seconds);
}

/* Until each source that is pinned has its commit, or one cannot have it. */
static int wait_for_sources(struct cli *cli, const char *path) {
    int64_t seconds = 600;
    (void)str_to_int(cli_option(cli, "timeout", "600"), 1, 86400, &seconds);
    int64_t deadline = clock_mono_us() + seconds * CLOCK_S;
    for (;;) {
        json_t *release = NULL, *source;
        const char *name;
        size_t i;
        bool open = false;
        int rc = cli_call(cli, "GET", path, NULL, &release);
        cleanup_json json_t *rows = source_rows(release);
        json_array_foreach(rows, i, source) {
            const char *state = json_str(source, "state");
            name = json_str(source, "image");
            open = open || str_eq(state, "open") || str_eq(state, NOT_ASKED);
            if (!str_eq(state, "failed"))
                continue;
            (void)fprintf(stderr, "fairlead: images.%s: %s\n", name, json_str(source, "problem"));
            rc = EXIT_FAILED;
        }
        if (rc == EXIT_OK && !open)
            cli_say(cli, release, "Its sources are pinned.");
        json_decref(release);
        if (rc != EXIT_OK || !open)
            return rc;
        if (clock_mono_us() > deadline) {
            tell_open(rows, seconds);
            return EXIT_TIMEOUT;
        }
        (void)usleep(300000);
    }
}

int app_register(struct cli *cli, const struct command *command) {
    struct err err = {0};
    struct folder folder = {0};
    long status = 0;
    json_t *answer = NULL;
    if (read_folder(cli->args[0], &folder, &err) < 0) {
        (void)fprintf(stderr, "fairlead: %s\n", err.text);
        release_folder(&folder);
        return EXIT_FAILED;
    }
    cleanup_json json_t *body =
        json_pack("{s:s, s:O, s:s}", "app", folder.name, "spec", folder.spec, "template", folder.template);
    int rc = cli_try(cli, "POST", command->path, body, &status, &answer);
    const char *version = json_str(folder.spec, "version");
    if (rc == EXIT_OK && status == 409 && str_eq(json_str(answer, "code"), "exists")) {
        cli_say(cli, answer, arena_printf(&cli->arena, "%s %s is registered already", folder.name, version));
    } else if (rc == EXIT_OK && status >= 400) {
        rc = cli_refused(cli, status, answer);
    } else if (rc == EXIT_OK && !(cli->json && cli_flag(cli, "wait"))) {
        cli_say(cli, answer, arena_printf(&cli->arena, "%s %s registered", folder.name, version));
    }
    if (rc == EXIT_OK && cli_flag(cli, "wait"))
        rc =
            wait_for_sources(cli, arena_printf(&cli->arena, "%s/%s/%s", command->path, folder.name, version));
    json_decref(answer);
    release_folder(&folder);
    return rc;
}

int app_offer(struct cli *cli, const struct command *command) {
    json_t *answer = NULL;
    const char *done = str_eq(command->verb, "default")    ? "is what create takes now"
                       : str_eq(command->verb, "withdraw") ? "is offered no more; what runs on it goes on"
                                                           : "is offered again";
    int rc = cli_call(cli, "POST",
                      arena_printf(&cli->arena, "%s/%s/%s", command->path, cli->args[0], command->verb), NULL,
                      &answer);
    if (rc == EXIT_OK)
        cli_say(cli, answer, arena_printf(&cli->arena, "%s %s", cli->args[0], done));
    json_decref(answer);
    return rc;
}
