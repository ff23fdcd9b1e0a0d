#include "host/program.h"

#include "base/file.h"
#include "base/log_conf.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/str.h"
#include "io/http.h"
#include "io/nft.h"

#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *program_path(const char *path) {
    if (!*path || path[0] == '/')
        return path;
    cleanup_free char *cwd = getcwd(NULL, 0);
    size_t size = strlen(cwd ? cwd : "") + strlen(path) + 2;
    char *kept = mem_alloc(size); /* as long as the program */
    (void)snprintf(kept, size, "%s/%s", cwd ? cwd : "", path);
    return kept;
}

static int read_machine(const struct program *program, struct host *host, struct err *err) {
    struct conf_row *conf = program->conf;
    host->conf.program = program->name;
    host->conf.options = conf;
    host->conf.metrics = conf_get(conf, "metrics");
    host->conf.machine = (struct step_machine){.state = program_path(conf_get(conf, "state")),
                                               .engine_socket = conf_get(conf, "engine"),
                                               .registry = conf_get(conf, "registry"),
                                               .secrets_dir = program_path(conf_get(conf, "secrets")),
                                               .repository = "",
                                               .edge_dir = conf_get(conf, "edge-dir"),
                                               .nginx_conf = conf_get(conf, "nginx-conf"),
                                               .nginx_pid = conf_get(conf, "nginx-pid"),
                                               .nginx_unit = conf_get(conf, "nginx-unit"),
                                               .http_port = (int)conf_int(conf, "http-port"),
                                               .dns_server = conf_get(conf, "dns"),
                                               .zone = conf_get(conf, "zone"),
                                               .edge_user = conf_get(conf, "edge-user"),
                                               .subnets = conf_get(conf, "subnets"),
                                               .closed_networks = conf_get(conf, "closed-networks"),
                                               .guard = str_eq(conf_get(conf, "guard"), "nft")};
    return nft_networks_check(host->conf.machine.closed_networks, err) < 0 ? -1 : program->fill(host, err);
}

static int run(struct host *host, char **args) {
    (void)args;
    return host_run(host);
}

static int enrol(struct host *host, char **args) {
    return host_enrol(host, args[0]);
}

static int bundle(struct host *host, char **args) {
    return host_bundle(host, args[0]);
}

static int import(struct host *host, char **args) {
    return host_import(host, program_path(args[0]));
}

static int step_look(struct host *host, char **args) {
    return host_try(host, args[0], false);
}

static int step_act(struct host *host, char **args) {
    return host_try(host, args[0], true);
}

static const struct program_command common[] = {
    {{"run"}, 0, run, "", NULL},
    {{"enrol"}, 1, enrol, "TOKEN", "join, with the token of \"fairlead node invite\""},
    {{"step", "look"},
     1,
     step_look,
     "DOCUMENT",
     "what its step sees; nothing is changed. DOCUMENT: a name in STATE/documents, without \".accepted\""},
    {{"step", "run"},
     1,
     step_act,
     "DOCUMENT",
     "look, act and check, by hand; not beside a program that runs"},
    {{"bundle"},
     1,
     bundle,
     "FILE",
     "versions, options, states and last errors, in one file that holds nothing secret"},
    {{"import"},
     1,
     import,
     "FILE",
     "what comes by file: images (\"fairlead instance images\"), and all that a machine without a link is "
     "told "
     "(\"fairlead node bundle\")"},
    {.run = NULL},
};

static void print_command(const struct program *program, const struct program_command *command) {
    char words[64];
    (void)snprintf(words, sizeof words, "%s%s%s %s", command->words[0], command->words[1] ? " " : "",
                   command->words[1] ? command->words[1] : "", command->args_name);
    printf("  %-20s %s\n", words, command->help ? command->help : program->runs);
}

static void print_help(const struct program *program) {
    printf("usage: fairlead-%s [OPTION...] [COMMAND]\n\n", program->name);
    for (const struct program_command *command = common; command->run; command++)
        print_command(program, command);
    for (const struct program_command *command = program->commands; command->run; command++)
        print_command(program, command);
    printf("  %-20s %s\n  %-20s %s\n\nOptions; each also as environment FAIRLEAD_NAME, or in a file given by "
           "--config:\n",
           "config", "the options, as Markdown", "sample",
           "a file for --config in which all options are comments");
    conf_print_help(program->conf, stdout);
}

/* How many words of argv it takes; 0: it is another. */
static int matches(const struct program_command *command, char **argv, int n) {
    int words = 0;
    for (; command->words[words]; words++)
        if (words >= n || !str_eq(command->words[words], argv[words]))
            return 0;
    return n == words + command->args ? words : 0;
}

static const struct program_command *find(const struct program_command *commands, char **argv, int n,
                                          int *ret_words) {
    for (; commands->run; commands++)
        if ((*ret_words = matches(commands, argv, n)) > 0)
            return commands;
    return NULL;
}

static int start(const struct program *program, struct err *err) {
    log_by_conf(program->name, program->conf);
    metric_set(METRIC_BUILD_INFO, FAIRLEAD_VERSION, 1);
    (void)umask(022);
    /* Many threads that mostly wait: an arena for each would be a third of the memory that is ours. */
    (void)mallopt(M_ARENA_MAX, 2);
    cert_init();
    http_init();
    return sign_init(err);
}

static int take(const struct program *program, int argc, char **argv) {
    static struct host host;
    static char word[] = "run", *run_it[] = {word};
    struct err err = {0};
    int n, words;
    bool help;
    if (argc == 2 && str_eq(argv[1], "sample")) {
        char name[64];
        (void)snprintf(name, sizeof name, "fairlead-%s", program->name);
        conf_print_sample(program->conf, name, stdout);
        return 0;
    }
    if (argc == 2 && str_eq(argv[1], "config")) {
        conf_print_markdown(program->conf, stdout);
        return 0;
    }
    if (conf_read(program->conf, argc, argv, &n, &help, &err) < 0) {
        (void)fprintf(stderr, "fairlead-%s: %s\n", program->name, err.text);
        return 2;
    }
    if (help) {
        print_help(program);
        return 0;
    }
    char **args = n ? argv + 1 : run_it;
    n = n ? n : 1;
    const struct program_command *command = find(common, args, n, &words);
    if (!command)
        command = find(program->commands, args, n, &words);
    if (!command) {
        (void)fprintf(stderr, "fairlead-%s: that is not a command; --help lists them\n", program->name);
        return 2;
    }
    if (start(program, &err) < 0 || read_machine(program, &host, &err) < 0) {
        (void)fprintf(stderr, "fairlead-%s: %s\n", program->name, err.text);
        return 1;
    }
    return command->run(&host, args + words);
}

int program_main(const struct program *program, int argc, char **argv) {
    char name[64];
    (void)snprintf(name, sizeof name, "fairlead-%s", program->name);
    return file_end_output(name, take(program, argc, argv));
}
