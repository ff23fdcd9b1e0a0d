/* member, token, audit, whoami: who may ask, and who did. */
#include "base/file.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

/* CUSTOMER/NAME as it is; a NAME alone is of one's own customer, or of the provider. */
static int member_path(struct cli *cli, const char *member, const char **ret) {
    json_t *me = NULL;
    if (strchr(member, '/')) {
        *ret = arena_printf(&cli->arena, "/v1/members/%s", member);
        return EXIT_OK;
    }
    int rc = cli_call(cli, "GET", "/v1/me", NULL, &me);
    const char *customer = json_str(me, "customer");
    *ret = arena_printf(&cli->arena, "/v1/members/%s/%s", customer ? customer : "-", member);
    json_decref(me);
    return rc;
}

int whoami_show(struct cli *cli, const struct command *command) {
    json_t *me = NULL;
    int rc = cli_call(cli, "GET", command->path, NULL, &me);
    if (rc == EXIT_OK)
        cli_print_one(cli, me);
    json_decref(me);
    return rc;
}

static int report(struct cli *cli, int rc, json_t *answer, json_t *body, const char *sentence) {
    if (rc == EXIT_OK)
        cli_say(cli, answer, sentence);
    json_decref(answer);
    json_decref(body);
    return rc;
}

int member_add(struct cli *cli, const struct command *command) {
    static const char *const texts[] = {"role", "customer", "tenant", "plane", "title"};
    const char *name = cli->args[0], *slash = strchr(name, '/');
    json_t *answer = NULL, *body = json_pack("{s:s, s:s}", "name", slash ? slash + 1 : name, "kind",
                                             cli_flag(cli, "program") ? "program" : "person");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (cli_option(cli, texts[i], NULL))
            (void)json_object_set_new(body, texts[i], json_string(cli_option(cli, texts[i], NULL)));
    if (slash)
        (void)json_object_set_new(body, "customer", json_stringn(name, (size_t)(slash - name)));
    int rc = cli_call(cli, "POST", command->path, body, &answer);
    const char *member = json_str(answer, "member");
    return report(cli, rc, answer, body,
                  arena_printf(&cli->arena,
                               "\"%s\" may ask now; next: fairlead token create NAME --member %s",
                               member ? member : "", member ? member : ""));
}

int member_get(struct cli *cli, const struct command *command) {
    const char *path;
    json_t *member = NULL;
    (void)command;
    int rc = member_path(cli, cli->args[0], &path);
    if (rc == EXIT_OK)
        rc = cli_call(cli, "GET", path, NULL, &member);
    if (rc == EXIT_OK)
        cli_print_one(cli, member);
    json_decref(member);
    return rc;
}

int member_role(struct cli *cli, const struct command *command) {
    const char *path;
    json_t *answer = NULL, *body = json_pack("{s:s}", "role", cli->args[1]);
    (void)command;
    int rc = member_path(cli, cli->args[0], &path);
    if (rc == EXIT_OK)
        rc = cli_call(cli, "POST", arena_printf(&cli->arena, "%s/role", path), body, &answer);
    return report(cli, rc, answer, body,
                  arena_printf(&cli->arena, "\"%s\" is %s now", cli->args[0], cli->args[1]));
}

int member_invite(struct cli *cli, const struct command *command) {
    const char *path;
    json_t *answer = NULL;
    (void)command;
    int rc = member_path(cli, cli->args[0], &path);
    if (rc == EXIT_OK)
        rc = cli_call(cli, "POST", arena_printf(&cli->arena, "%s/invite", path), NULL, &answer);
    return report(cli, rc, answer, NULL,
                  arena_printf(&cli->arena, "for %s, within a day: fairlead login %s --server %s --code %s",
                               json_str(answer, "member"), json_str(answer, "member"), cli->server,
                               json_str(answer, "code")));
}

int member_remove(struct cli *cli, const struct command *command) {
    const char *path;
    (void)command;
    int rc = member_path(cli, cli->args[0], &path);
    if (rc == EXIT_OK)
        rc = cli_call(cli, "DELETE", path, NULL, NULL);
    return report(cli, rc, NULL, NULL, arena_printf(&cli->arena, "\"%s\" may ask no more", cli->args[0]));
}

/* A token is shown once: in a file for its owner alone, or on standard output, by itself. */
static int hand_over(struct cli *cli, int rc, json_t *answer, json_t *body) {
    struct err err = {0};
    const char *file = cli_option(cli, "file", NULL), *token = json_str(answer, "token");
    const char *sentence = token;
    if (rc == EXIT_OK && file) {
        const char *line = arena_printf(&cli->arena, "%s\n", token);
        if (file_write(file, line, strlen(line), 0600, &err) < 0) {
            (void)fprintf(stderr, "fairlead: %s\n", err.text);
            rc = EXIT_FAILED;
        }
        sentence = arena_printf(&cli->arena, "written to \"%s\"; it ends %s", file,
                                cli_time(&cli->arena, json_str(answer, "expires_at")));
    }
    return report(cli, rc, answer, body, sentence);
}

int token_create(struct cli *cli, const struct command *command) {
    json_t *answer = NULL, *body = json_pack("{s:s}", "name", cli->args[0]);
    const char *scopes = cli_option(cli, "scopes", NULL), *member = cli_option(cli, "member", NULL);
    if (scopes)
        (void)json_object_set_new(body, "scopes", cli_split(scopes));
    if (member)
        (void)json_object_set_new(body, "member", json_string(member));
    cli_set_number(body, "days", cli_option(cli, "days", NULL));
    int rc = cli_call(cli, "POST", command->path, body, &answer);
    return hand_over(cli, rc, answer, body);
}

int token_rotate(struct cli *cli, const struct command *command) {
    json_t *answer = NULL, *body = json_object();
    cli_set_number(body, "overlap_minutes", cli_option(cli, "overlap", NULL));
    cli_set_number(body, "days", cli_option(cli, "days", NULL));
    int rc = cli_call(cli, "POST", arena_printf(&cli->arena, "%s/%s/rotate", command->path, cli->args[0]),
                      body, &answer);
    return hand_over(cli, rc, answer, body);
}

int token_revoke(struct cli *cli, const struct command *command) {
    int rc =
        cli_call(cli, "DELETE", arena_printf(&cli->arena, "%s/%s", command->path, cli->args[0]), NULL, NULL);
    return report(cli, rc, NULL, NULL, "it opens nothing any more");
}

/* ---- audit ---- */

int audit_list(struct cli *cli, const struct command *command) {
    cleanup_json json_t *rows = json_array();
    int64_t limit;
    char after[128] = "";
    if (!str_to_int(cli_option(cli, "limit", "100"), 1, 1000000, &limit))
        return cli_usage(command, "--limit is a number from 1 to 1000000");
    do {
        json_t *page = NULL, *row;
        size_t i;
        int rc =
            cli_call(cli, "GET",
                     *after ? arena_printf(&cli->arena, "%s?after=%s", command->path, after) : command->path,
                     NULL, &page);
        if (rc)
            return rc;
        json_array_foreach(json_object_get(page, "items"), i,
                           row) if ((int64_t)json_array_size(rows) < limit)(void)
            json_array_append(rows, row);
        (void)snprintf(after, sizeof after, "%s", json_str(page, "next") ? json_str(page, "next") : "");
        json_decref(page);
    } while (*after && (int64_t)json_array_size(rows) < limit);
    cli_print(cli, rows,
              (const char *const[]){"at=WHEN", "member=WHO", "address=FROM", "act=ACT", "object=OBJECT",
                                    "status=STATUS", NULL});
    return EXIT_OK;
}

int audit_verify(struct cli *cli, const struct command *command) {
    json_t *answer = NULL, *chain;
    int64_t rows = 0;
    size_t i;
    int rc = cli_call(cli, "GET", command->path, NULL, &answer);
    if (rc)
        return rc;
    json_array_foreach(json_object_get(answer, "chains"), i, chain) rows += json_int(chain, "rows", 0);
    bool ok = json_is_true(json_object_get(answer, "ok"));
    const char *sentence = ok ? arena_printf(&cli->arena, "whole: %lld rows", (long long)rows)
                              : arena_printf(&cli->arena,
                                             "NOT whole: %s\nnext: compare with the signed heads in the "
                                             "topic fairlead.audit, and with a backup",
                                             json_str(answer, "problem"));
    (void)report(cli, EXIT_OK, answer, NULL, sentence);
    return ok ? EXIT_OK : EXIT_FAILED;
}

/* ---- identity providers ---- */

int identity_provider_create(struct cli *cli, const struct command *command) {
    struct err err = {0};
    static const char *const texts[][2] = {
        {"title", "title"}, {"issuer", "issuer"}, {"client-id", "client_id"}, {"claim", "claim"}};
    const char *name = cli->args[0], *slash = strchr(name, '/'),
               *file = cli_option(cli, "client-secret", NULL);
    json_t *answer = NULL, *body = json_pack("{s:s}", "name", slash ? slash + 1 : name);
    cleanup_free char *secret = NULL;
    if (file && file_read_secret(file, 500, &secret, NULL, &err) < 0) {
        (void)fprintf(stderr, "fairlead: %s\n", err.text);
        json_decref(body);
        return EXIT_USAGE;
    }
    if (secret)
        (void)json_object_set_new(body, "client_secret", json_stringn(secret, strcspn(secret, "\r\n")));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (cli_option(cli, texts[i][0], NULL))
            (void)json_object_set_new(body, texts[i][1], json_string(cli_option(cli, texts[i][0], NULL)));
    if (slash)
        (void)json_object_set_new(body, "customer", json_stringn(name, (size_t)(slash - name)));
    int rc = cli_call(cli, "POST", command->path, body, &answer);
    return report(
        cli, rc, answer, body,
        arena_printf(&cli->arena,
                     "people sign in at %s%s; there, allow it to send them back to %s/v1/sign-in/callback",
                     cli->server, json_str(answer, "sign_in"), cli->server));
}

int identity_provider_delete(struct cli *cli, const struct command *command) {
    const char *name = cli->args[0];
    int rc = cli_call(
        cli, "DELETE",
        arena_printf(&cli->arena, "%s/%s%s", command->path, strchr(name, '/') ? "" : "-/", name), NULL, NULL);
    return report(cli, rc, NULL, NULL, "nobody signs in there any more");
}
