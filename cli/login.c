/* login, logout, password, factor: how a person gets in, and keeps others out. What was got stands in a
 * profile: a file of the server and the session, for its owner alone. */
#include "base/file.h"
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define SECRET_MAX 256

/* A line from the terminal, unseen; from standard input where that is none. */
static int read_secret(const char *prompt, char out[SECRET_MAX]) {
    struct termios seen, unseen;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &seen) == 0;
    if (terminal) {
        (void)fprintf(stderr, "%s: ", prompt);
        unseen = seen;
        unseen.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen);
    }
    bool got = fgets(out, SECRET_MAX, stdin) != NULL;
    if (terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &seen);
        (void)fprintf(stderr, "\n");
    }
    out[got ? strcspn(out, "\r\n") : 0] = '\0';
    if (*out)
        return EXIT_OK;
    (void)fprintf(stderr, "fairlead: %s: nothing was typed\n", prompt);
    return EXIT_USAGE;
}

static int save(struct cli *cli, const char *token) {
    struct err err = {0};
    const char *path = cli_profile_path(cli);
    cleanup_json json_t *profile = json_pack("{s:s, s:s}", "server", cli->server, "token", token);
    cleanup_free char *text = json_text(profile);
    char *slash = strrchr(path, '/');
    const char *folder = arena_strndup(&cli->arena, path, (size_t)(slash - path));
    if (file_mkdirs(folder, 0700, &err) < 0 || file_write(path, text, strlen(text), 0600, &err) < 0) {
        (void)fprintf(stderr, "fairlead: %s\n", err.text);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

/* With the code that was given: a password of one's own. */
static int choose_password(struct cli *cli, const char *code, char password[SECRET_MAX]) {
    char again[SECRET_MAX];
    int rc = read_secret("a new password, of 12 characters or more", password);
    if (rc == EXIT_OK && isatty(STDIN_FILENO))
        rc = read_secret("once more", again);
    else
        (void)snprintf(again, sizeof again, "%s", password);
    if (rc == EXIT_OK && !str_eq(password, again)) {
        (void)fprintf(stderr, "fairlead: these are two different ones\n");
        rc = EXIT_USAGE;
    }
    if (rc)
        return rc;
    cleanup_json json_t *body =
        json_pack("{s:s, s:s, s:s}", "member", cli->args[0], "code", code, "password", password);
    return cli_call(cli, "POST", "/v1/password", body, NULL);
}

static int sign_in(struct cli *cli, const char *password, const char *code, json_t **ret) {
    long status = 0;
    char typed[SECRET_MAX];
    cleanup_json json_t *body =
        json_pack("{s:s, s:s, s:s}", "member", cli->args[0], "password", password, "kind", "token");
    if (code)
        (void)json_object_set_new(body, "code", json_string(code));
    int rc = cli_try(cli, "POST", "/v1/sessions", body, &status, ret);
    if (rc != EXIT_OK || status == 201)
        return rc;
    if (status == 401 && !code && str_eq(json_str(*ret, "code"), "needs_code")) {
        json_decref(*ret);
        *ret = NULL;
        rc = read_secret("the code of your authenticator", typed);
        return rc ? rc : sign_in(cli, password, typed, ret);
    }
    return cli_refused(cli, status, *ret);
}

int login(struct cli *cli, const struct command *command) {
    char password[SECRET_MAX];
    json_t *answer = NULL;
    const char *code = cli_option(cli, "code", NULL);
    (void)command;
    int rc = code ? choose_password(cli, code, password) : read_secret("password", password);
    if (rc == EXIT_OK)
        rc = sign_in(cli, password, NULL, &answer);
    if (rc == EXIT_OK)
        rc = save(cli, json_str(answer, "token"));
    if (rc == EXIT_OK)
        printf("signed in as \"%s\" at %s, for %lld hours\n", json_str(answer, "member"), cli->server,
               (long long)json_int(answer, "valid_s", 0) / 3600);
    explicit_bzero(password, sizeof password);
    json_decref(answer);
    return rc;
}

int logout(struct cli *cli, const struct command *command) {
    int rc = cli_call(cli, "DELETE", command->path, NULL, NULL);
    if (unlink(cli_profile_path(cli)) == 0)
        printf("signed out\n");
    return rc;
}

int password_change(struct cli *cli, const struct command *command) {
    char old[SECRET_MAX], password[SECRET_MAX];
    int rc = read_secret("your password", old);
    if (rc == EXIT_OK)
        rc = read_secret("a new one, of 12 characters or more", password);
    if (rc)
        return rc;
    cleanup_json json_t *body = json_pack("{s:s, s:s}", "old", old, "password", password);
    rc = cli_call(cli, "POST", command->path, body, NULL);
    if (rc == EXIT_OK)
        printf("changed; all other sessions have ended\n");
    return rc;
}

int factor_on(struct cli *cli, const struct command *command) {
    char password[SECRET_MAX], code[SECRET_MAX];
    json_t *answer = NULL;
    int rc = read_secret("your password", password);
    if (rc)
        return rc;
    cleanup_json json_t *body = json_pack("{s:s}", "password", password);
    rc = cli_call(cli, "POST", command->path, body, &answer);
    if (rc == EXIT_OK) {
        (void)fprintf(stderr, "Put this into your authenticator: %s\n(%s)\n", json_str(answer, "secret"),
                      json_str(answer, "uri"));
        rc = read_secret("the code that it shows", code);
    }
    json_decref(answer);
    if (rc)
        return rc;
    cleanup_json json_t *confirm = json_pack("{s:s}", "code", code);
    rc = cli_call(cli, "POST", arena_printf(&cli->arena, "%s/confirm", command->path), confirm, NULL);
    if (rc == EXIT_OK)
        printf("from now on signing in takes a code\n");
    return rc;
}

int factor_off(struct cli *cli, const struct command *command) {
    char password[SECRET_MAX];
    int rc = read_secret("your password", password);
    if (rc)
        return rc;
    cleanup_json json_t *body = json_pack("{s:s}", "password", password);
    rc = cli_call(cli, "POST", arena_printf(&cli->arena, "%s/off", command->path), body, NULL);
    if (rc == EXIT_OK)
        printf("signing in takes no code any more\n");
    return rc;
}
