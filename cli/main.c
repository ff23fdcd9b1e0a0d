/* fairlead RESOURCE VERB: how a command line becomes a call of a command (commands.c). */
#include "base/conf.h"
#include "base/file.h"
#include "cli/cli.h"
#include "io/http.h"
#include "io/sign.h"
#include "model/routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All commands, or those of one resource. */
static void print_commands(FILE *to, const char *resource) {
    for (int i = 0; i < commands_n; i++) {
        char left[64];
        if (resource && !str_eq(commands[i].resource, resource))
            continue;
        (void)snprintf(left, sizeof left, "%s %s %s", commands[i].resource, commands[i].verb,
                       commands[i].args);
        (void)fprintf(to, "  %-34s %s\n", left, commands[i].help);
    }
}

static void print_help(FILE *to, const char *resource) {
    (void)fprintf(to, "usage: fairlead RESOURCE VERB [ARGUMENT...] [OPTION...]\n\n");
    print_commands(to, resource);
    (void)fprintf(
        to,
        "\nOptions of every command:\n"
        "  --server URL      of the coordinator [FAIRLEAD_SERVER, or http://127.0.0.1:8080]\n"
        "  --token-file FILE with the token, mode 0600 [FAIRLEAD_TOKEN_FILE, or ~/.config/fairlead/token]\n"
        "  --profile NAME    of a login: its server and session [FAIRLEAD_PROFILE, or default]\n"
        "  -o, --output table|json\n"
        "                    how to print\n"
        "  -v                show whole problem documents\n"
        "  --version         which Fairlead this is\n"
        "  --help            of a command: its options (also: fairlead help RESOURCE VERB)\n\n"
        "Exit codes: 0 done, 1 it failed, 2 usage, 3 refused by the server, 4 not reachable, 5 time is up\n");
}

/* The route that a command sends its options to; NULL: to none. */
static const struct route_row *route_of(const struct command *command) {
    for (int i = 0; i < ROUTE_COUNT; i++) {
        const struct route_row *route = &route_rows[i];
        const char *verb = strrchr(route->path, '/') + 1;
        bool below = str_starts(route->path, command->path) && str_eq(verb, command->verb);
        bool makes = str_eq(route->path, command->path) && str_eq(command->verb, "create");
        if (route->body && *command->path && (below || makes) && str_eq(route->method, "POST"))
            return route;
    }
    return NULL;
}

/* What the API says of an option's field. */
static const struct schema_field *field_of(const struct command *command, const char *option, size_t n) {
    const struct route_row *route = route_of(command);
    char key[40];
    (void)snprintf(key, sizeof key, "%.*s", (int)n, option);
    for (char *p = key; *p; p++)
        *p = *p == '-' ? '_' : *p;
    for (const struct schema_field *f = route ? route->body : NULL; f && f->type != SCHEMA_END; f++)
        if (str_eq(f->name, key) || (n >= 3 && str_starts(f->name, key) && f->name[n] == '_'))
            return f;
    return NULL;
}

static void print_option(FILE *to, const struct command *command, const char *option) {
    size_t n = strcspn(option, "=! ");
    const struct schema_field *field = field_of(command, option, n);
    (void)fprintf(to, "  %s%.*s%s%s\n", n == 1 ? "-" : "--", (int)n, option, option[n] == '=' ? " " : "",
                  option[n] ? option + n + 1 : "");
    if (field && field->help)
        (void)fprintf(to, "      %s\n", field->help);
}

int cli_usage(const struct command *command, const char *why) {
    if (why)
        (void)fprintf(stderr, "fairlead: %s\n", why);
    (void)fprintf(why ? stderr : stdout, "usage: fairlead %s %s %s [OPTION...]\n%s\n", command->resource,
                  command->verb, command->args, command->help);
    for (const char *const *o = command->options; o && *o; o++)
        print_option(why ? stderr : stdout, command, *o);
    return why ? EXIT_USAGE : EXIT_OK;
}

const char *cli_option(const struct cli *cli, const char *name, const char *otherwise) {
    for (int i = cli->options_n - 1; i >= 0; i--)
        if (str_eq(cli->options[i].name, name))
            return cli->options[i].value;
    return otherwise;
}

bool cli_flag(const struct cli *cli, const char *name) {
    return cli_option(cli, name, NULL) != NULL;
}

#define ANY ((const struct command *)NULL)

/* 1: a value follows. 0: a flag. -1: unknown to this command; to none, where it is ANY. */
static int option_kind(const struct command *command, const char *name) {
    static const char *const with_value[] = {"server", "token-file", "profile", "o", "output"};
    static const char *const flags[] = {"v", "help", "h"};
    for (size_t i = 0; i < sizeof with_value / sizeof *with_value; i++)
        if (str_eq(with_value[i], name))
            return 1;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (str_eq(flags[i], name))
            return 0;
    for (int i = 0; i < commands_n; i++)
        for (const char *const *o = commands[i].options; o && *o; o++) {
            size_t n = strcspn(*o, "=! ");
            if ((command == ANY || command == &commands[i]) && strlen(name) == n && strncmp(*o, name, n) == 0)
                return (*o)[n] == '=' ? 1 : 0;
        }
    return -1;
}

/* "--name", "--name=value", "-n": its name, and the value that stands in it. */
static const char *split_option(struct cli *cli, char *arg, const char **ret_value) {
    const char *name = arg + 1 + (arg[1] == '-');
    const char *eq = strchr(name, '=');
    *ret_value = eq ? eq + 1 : NULL;
    return eq ? arena_strndup(&cli->arena, name, (size_t)(eq - name)) : name;
}

/* Options may stand anywhere, before the resource too; the rest are words. After "--" all are. */
static int read_line(struct cli *cli, int argc, char **argv) {
    cli->args = arena_alloc(&cli->arena, ((size_t)argc + 1) * sizeof *cli->args);
    for (int i = 1; i < argc; i++) {
        char *arg = argv[i];
        const char *value;
        if (str_eq(arg, "--")) {
            while (++i < argc)
                cli->args[cli->args_n++] = argv[i];
            break;
        }
        if (arg[0] != '-' || !arg[1]) {
            cli->args[cli->args_n++] = arg;
            continue;
        }
        const char *name = split_option(cli, arg, &value);
        int kind = option_kind(ANY, name);
        if (cli->options_n == CLI_OPTIONS_MAX) {
            (void)fprintf(stderr, "fairlead: more than %d options\n", CLI_OPTIONS_MAX);
            return EXIT_USAGE;
        }
        if (kind == 1 && !value && i + 1 < argc)
            value = argv[++i];
        cli->options[cli->options_n++] = (struct option_value){str_eq(name, "output") ? "o" : name, value};
    }
    return 0;
}

/* Each is one of this command, has its value, and is given once where only the last would count. */
static int check_options(struct cli *cli, const struct command *command) {
    for (int i = 0; i < cli->options_n; i++) {
        struct option_value *option = &cli->options[i];
        const char *dashes = option->name[1] ? "--" : "-";
        int kind = option_kind(command, option->name);
        if (kind < 0)
            return cli_usage(command, arena_printf(&cli->arena, "\"%s%s\" is not an option of this command",
                                                   dashes, option->name));
        if (kind == 1 && !option->value)
            return cli_usage(command,
                             arena_printf(&cli->arena, "\"%s%s\" needs a value", dashes, option->name));
        if (kind == 0 && option->value)
            return cli_usage(command,
                             arena_printf(&cli->arena, "\"%s%s\" takes no value", dashes, option->name));
        if (kind == 0)
            option->value = "";
    }
    return 0;
}

const char *cli_profile_path(struct cli *cli) {
    const char *home = getenv("HOME"), *env = getenv("FAIRLEAD_PROFILE");
    return arena_printf(&cli->arena, "%s/.config/fairlead/profiles/%s", home ? home : "",
                        cli_option(cli, "profile", env && *env ? env : "default"));
}

/* The server of a profile goes with its session, where no other was named. */
static int read_profile(struct cli *cli, const char *path) {
    struct err err = {0};
    cleanup_free char *text = NULL;
    if (file_read_secret(path, 1000, &text, NULL, &err) < 0) {
        (void)fprintf(stderr, "fairlead: %s; next: fairlead login NAME\n", err.text);
        return EXIT_USAGE;
    }
    cleanup_json json_t *profile = json_loads(text, 0, NULL);
    const char *server = json_str(profile, "server"), *token = json_str(profile, "token");
    if (!server || !token) {
        (void)fprintf(stderr, "fairlead: \"%s\" is no profile; next: fairlead login NAME\n", path);
        return EXIT_USAGE;
    }
    (void)snprintf(cli->token, sizeof cli->token, "%s", token);
    if (!cli_option(cli, "server", getenv("FAIRLEAD_SERVER")))
        cli->server = arena_strdup(&cli->arena, server);
    return 0;
}

/* A file that is named comes first, then a profile, then the file that was there before there were profiles.
 */
static int read_token(struct cli *cli) {
    struct err err = {0};
    char standard[512];
    const char *home = getenv("HOME"), *env = getenv("FAIRLEAD_TOKEN_FILE"), *profile = cli_profile_path(cli);
    const char *given = cli_option(cli, "token-file", cli_option(cli, "profile", NULL) ? NULL : env);
    cleanup_free char *text = NULL;
    if (!given && (cli_option(cli, "profile", getenv("FAIRLEAD_PROFILE")) || file_exists(profile)))
        return read_profile(cli, profile);
    (void)snprintf(standard, sizeof standard, "%s/.config/fairlead/token", home ? home : "");
    const char *path = given ? given : standard;
    if (file_read_secret(path, 250, &text, NULL, &err) < 0) {
        (void)fprintf(stderr, "fairlead: %s\n", err.text);
        return EXIT_USAGE;
    }
    text[strcspn(text, "\r\n")] = '\0';
    (void)snprintf(cli->token, sizeof cli->token, "%s", text);
    return 0;
}

static const struct command *find_command(const char *resource, const char *verb) {
    for (int i = 0; i < commands_n; i++)
        if (str_eq(commands[i].resource, resource) && str_eq(commands[i].verb, verb))
            return &commands[i];
    return NULL;
}

static bool has_option(const struct cli *cli, const char *name) {
    for (int i = 0; i < cli->options_n; i++)
        if (str_eq(cli->options[i].name, name))
            return true;
    return false;
}

static bool is_resource(const char *word) {
    for (int i = 0; i < commands_n; i++)
        if (str_eq(commands[i].resource, word))
            return true;
    return false;
}

/* No command: help was asked for, or something was mistyped. */
static int explain(const struct cli *cli, bool help) {
    const char *resource = cli->args_n ? cli->args[0] : NULL, *verb = cli->args_n > 1 ? cli->args[1] : NULL;
    bool known = resource && is_resource(resource);
    if (help && (!resource || (known && !verb))) {
        print_help(stdout, resource);
        return EXIT_OK;
    }
    if (!resource) {
        print_help(stderr, NULL);
        return EXIT_USAGE;
    }
    if (known && !verb)
        (void)fprintf(stderr, "fairlead: \"%s\" needs a verb:\n", resource);
    else if (known)
        (void)fprintf(stderr, "fairlead: \"%s %s\" is not a command; there are:\n", resource, verb);
    else
        (void)fprintf(stderr, "fairlead: \"%s\" is not a command; fairlead --help lists them\n", resource);
    if (known)
        print_commands(stderr, resource);
    return EXIT_USAGE;
}

/* Words behind those that name the command are its arguments. */
static const struct command *take_command(struct cli *cli) {
    const struct command *command = cli->args_n ? find_command(cli->args[0], "") : NULL;
    int words = 1;
    if (!command && cli->args_n > 1) {
        command = find_command(cli->args[0], cli->args[1]);
        words = 2;
    }
    if (command) {
        cli->args += words;
        cli->args_n -= words;
    }
    return command;
}

/* What is called PLANE/SIZE has both parts: the server would look for something else at the address without.
 */
static int check_parts(struct cli *cli, const struct command *command) {
    const char *word = command->args;
    for (int i = 0; i < cli->args_n; i++, word += strspn(word, " ")) {
        size_t n = strcspn(word, " ");
        const char *slash = strchr(cli->args[i], '/');
        if (memchr(word, '/', n) && (!slash || slash == cli->args[i] || !slash[1]))
            return cli_usage(command,
                             arena_printf(&cli->arena, "\"%s\" is no %.*s", cli->args[i], (int)n, word));
        word += n;
    }
    return 0;
}

static int check_arguments(struct cli *cli, const struct command *command) {
    int wanted = *command->args ? 1 : 0;
    for (const char *p = command->args; *p; p++)
        wanted += *p == ' ';
    if (cli->args_n == wanted)
        return check_parts(cli, command);
    return cli_usage(command, !wanted                ? "this command takes no arguments"
                              : cli->args_n < wanted ? "arguments are missing"
                                                     : "there are too many arguments");
}

static int run(struct cli *cli, int argc, char **argv) {
    struct err err = {0};
    if (argc == 2 && str_eq(argv[1], "--version")) { /* elsewhere it is that of an app */
        printf("Fairlead %s\n", FAIRLEAD_VERSION);
        return EXIT_OK;
    }
    int rc = read_line(cli, argc, argv);
    if (rc)
        return rc;
    bool help = has_option(cli, "help") || has_option(cli, "h");
    if (cli->args_n && str_eq(cli->args[0], "help")) {
        cli->args++;
        cli->args_n--;
        help = true;
    }
    const struct command *command = cli->command = take_command(cli);
    if (!command)
        return explain(cli, help);
    if (help)
        return cli_usage(command, NULL);
    if ((rc = check_options(cli, command)) || (rc = check_arguments(cli, command)))
        return rc;
    const char *env = getenv("FAIRLEAD_SERVER"), *format = cli_option(cli, "o", "table");
    cli->server = cli_option(cli, "server", env ? env : "http://127.0.0.1:8080");
    cli->json = str_eq(format, "json");
    cli->verbose = cli_flag(cli, "v");
    if (!cli->json && !str_eq(format, "table"))
        return cli_usage(command, "-o takes table or json");
    if (sign_init(&err) < 0)
        return EXIT_FAILED;
    http_init();
    if (*command->path && (rc = read_token(cli)))
        return rc;
    return command->run(cli, command);
}

int main(int argc, char **argv) {
    struct cli cli = {0};
    int rc = run(&cli, argc, argv);
    arena_release(&cli.arena);
    return file_end_output("fairlead", rc);
}
