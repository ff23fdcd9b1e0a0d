/* What whoever this machine belongs to can ask and say. Nothing here speaks with the provider. */
#include "agent/agent.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "base/yaml.h"
#include "model/policy.h"
#include "node/document.h"
#include "node/secrets.h"
#include "node/spool.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_MAX 8388608

static int failed(const struct err *err) {
    (void)fprintf(stderr, "fairlead-agent: %s\n", err->text);
    return 1;
}

/* ---- status, log ---- */

static void print_heard(const struct host *host, struct arena *arena) {
    cleanup_free char *text = NULL;
    char stamp[28];
    const char *path = agent_path(host, "heartbeat", arena);
    if (!file_exists(path) || file_read(path, READ_MAX, &text, NULL, NULL) < 0)
        printf("provider    not heard of yet\n");
    else /* its number is the coordinator's clock */
        printf("provider    last heard of %s\n", clock_text(strtoll(text, NULL, 10), stamp));
}

/* Lines of KEY, kind, name, word. */
static void print_told(char *text) {
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *at = line, *key = strsep(&at, "\t"), *kind = strsep(&at, "\t"), *name = strsep(&at, "\t");
        if (key && kind && name && at)
            printf("%-11s %-40s %s\n", kind, name, at);
    }
}

int agent_status(struct host *host, char **args) {
    struct err err = {0};
    struct arena arena = {0};
    struct node_identity node;
    struct cert_facts facts;
    cleanup_free char *told = NULL;
    char stamp[28], doubt[16];
    (void)args;
    if (node_load(host->conf.machine.state, &node, &err) < 0)
        return failed(&err);
    const struct agent *agent = host->conf.arg;
    printf("node        %s, at %s\n", node.name, node.url);
    if (node.by_file)
        printf("link        none: what it is told is brought (\"import\"), what it says is carried "
               "(\"export\")\n");
    else if (*node.cert && node_certificate(&node, &facts, &err) == 0)
        printf("certificate until %s\n", clock_text(facts.until_us, stamp));
    print_heard(host, &arena);
    spool_doubt(host->conf.machine.state, doubt);
    if (node.by_file && *doubt)
        printf("doubt       what was brought is not all of it, or from before this machine joined: nothing "
               "is taken "
               "away\n");
    printf("paused      %s\n",
           file_exists(agent_path(host, AGENT_PAUSED, &arena)) ? "yes: \"resume\" goes on" : "no");
    cleanup_json json_t *rules = agent_rules(agent, &err);
    printf("policy      %s\n", !rules                            ? err.text
                               : file_exists(agent->policy_file) ? agent->policy_file
                                                                 : "none: all is allowed");
    const char *path = agent_path(host, AGENT_TOLD, &arena);
    if (file_exists(path) && file_read(path, READ_MAX, &told, NULL, &err) == 0)
        print_told(told);
    arena_release(&arena);
    return 0;
}

static int print_file(const struct host *host, const char *name) {
    struct err err = {0};
    struct arena arena = {0};
    cleanup_free char *text = NULL;
    const char *path = agent_path(host, name, &arena);
    int rc = file_exists(path) ? file_read(path, READ_MAX, &text, NULL, &err) : 0;
    if (text)
        (void)fputs(text, stdout);
    arena_release(&arena);
    return rc < 0 ? failed(&err) : 0;
}

int agent_log(struct host *host, char **args) {
    (void)args;
    int rc = print_file(host, AGENT_LOG ".1");
    return rc ? rc : print_file(host, AGENT_LOG);
}

/* The last lines of its log: as many as a person reads. */
#define TOLD_LINES 200

void agent_tell(void *arg, struct str *out) {
    const struct agent *agent = arg;
    struct arena arena = {0};
    static const char *const names[] = {AGENT_TOLD, AGENT_LOG};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cleanup_free char *text = NULL;
        size_t n = 0;
        int lines = 0;
        const char *path = agent_path(agent->host, names[i], &arena);
        str_addf(out, "\n## %s\n\n", names[i]);
        if (!file_exists(path) || file_read(path, READ_MAX, &text, &n, NULL) < 0)
            continue;
        while (n && (text[n - 1] != '\n' || ++lines <= TOLD_LINES))
            n--;
        str_adds(out, text + n);
    }
    arena_release(&arena);
}

/* ---- pause, resume, policy ---- */

int agent_pause(struct host *host, char **args) {
    struct err err = {0};
    struct arena arena = {0};
    (void)args;
    int rc = file_write(agent_path(host, AGENT_PAUSED, &arena), "", 0, 0600, &err);
    arena_release(&arena);
    if (rc < 0)
        return failed(&err);
    printf("paused: nothing new is done here until \"fairlead-agent resume\"; what runs is kept running\n");
    return 0;
}

int agent_resume(struct host *host, char **args) {
    struct err err = {0};
    struct arena arena = {0};
    (void)args;
    int rc = file_remove(agent_path(host, AGENT_PAUSED, &arena), &err);
    arena_release(&arena);
    if (rc < 0)
        return failed(&err);
    printf("resumed: what came meanwhile is done within a minute\n");
    return 0;
}

int agent_check_policy(struct host *host, char **args) {
    const struct agent *agent = host->conf.arg;
    struct err err = {0};
    (void)args;
    cleanup_json json_t *rules = agent_rules(agent, &err);
    cleanup_free char *shown = rules ? yaml_emit(rules, &err) : NULL;
    if (!shown)
        return failed(&err);
    (void)fputs(shown, stdout);
    return 0;
}

int agent_policy_fields(struct host *host, char **args) {
    cleanup_free char *rows = schema_markdown(policy_fields);
    (void)host, (void)args;
    (void)fputs(rows, stdout);
    return 0;
}

/* ---- secrets ---- */

struct showing {
    const struct host *host;
    struct node_identity node;
    const char *wanted; /* the instance: its host name, or its identity */
    char last[UUID_HEX_SIZE];
    int shown;
};

static void show_one(const struct showing *showing, const char *instance, const Fairlead__V1__Stack *stack) {
    const struct secrets secrets = {&showing->node, showing->host->conf.machine.state, "", instance};
    cleanup_json json_t *spec = json_loads(stack->spec, 0, NULL);
    const char *name;
    json_t *rule;
    json_object_foreach(json_object_get(spec, "secrets"), name, rule) {
        char value[SECRET_MAX];
        const char *title = json_str(rule, "title"), *user = json_str(rule, "user");
        if (!json_is_true(json_object_get(rule, "deliver")))
            continue; /* between its services only */
        struct err why = {0};
        if (secrets_open(&secrets, name, value, &why) < 0) {
            printf("%s\t%s\t\tnot made yet\n", stack->text, title ? title : name);
            continue;
        }
        printf("%s\t%s\t%s\t%s\n", stack->text, title ? title : name, user ? user : "", value);
        sodium_memzero(value, sizeof value);
    }
}

static void show(void *arg, const Fairlead__V1__Document *document, bool was_healthy) {
    struct showing *showing = arg;
    char hex[UUID_HEX_SIZE];
    Fairlead__V1__Stack *stack = document->absent ? NULL : node_document_stack(document);
    (void)was_healthy;
    hex_encode(hex, document->instance.data, document->instance.len);
    if (stack && (str_eq(showing->wanted, hex) || str_eq(showing->wanted, stack->text) ||
                  str_eq(showing->wanted, stack->instance_name))) {
        if (!str_eq(showing->last, hex)) /* it may have two sets */
            show_one(showing, hex, stack);
        memcpy(showing->last, hex, sizeof showing->last);
        showing->shown++;
    }
    fairlead__v1__stack__free_unpacked(stack, NULL);
}

int agent_show_secrets(struct host *host, char **args) {
    struct err err = {0};
    struct showing showing = {.host = host, .wanted = args[0]};
    if (node_load(host->conf.machine.state, &showing.node, &err) < 0 ||
        node_document_each(&showing.node, host->conf.machine.state, show, &showing, &err) < 0)
        return failed(&err);
    if (showing.shown)
        return 0;
    (void)err_set(&err, ERR_PARK, "no app here is called \"%.100s\": \"status\" names them", args[0]);
    return failed(&err);
}

/* ---- without a link ---- */

int agent_enrol_ask(struct host *host, char **args) {
    return host_enrol_ask(host, args[0], program_path(args[1]));
}

int agent_enrol_by(struct host *host, char **args) {
    return host_enrol_by(host, args[0], program_path(args[1]));
}

int agent_export(struct host *host, char **args) {
    return host_export(host, program_path(args[0]));
}

/* ---- leave ---- */

int agent_leave(struct host *host, char **args) {
    static const char *const names[] = {
        "node.json", "node.pem",  "node.request.pem", "authority.pem", "node.keys",
        "documents", "heartbeat", "opened",           "keys",          AGENT_TOLD,
        "spool",     "arrived",   "heartbeat.wanted"};
    struct err err = {0};
    struct arena arena = {0};
    char stamp[28];
    (void)args;
    const char *aside =
        agent_path(host, arena_printf(&arena, "left-%.19s", clock_text(clock_wall_us(), stamp)), &arena);
    int rc = host_lock(host, &err); /* not beside a program that runs */
    if (rc == 0)
        rc = file_mkdirs(aside, 0700, &err);
    for (size_t i = 0; rc == 0 && i < sizeof names / sizeof *names; i++) {
        const char *from = agent_path(host, names[i], &arena);
        if (file_exists(from) && rename(from, arena_printf(&arena, "%s/%s", aside, names[i])) < 0)
            rc = err_errno(&err, ERR_PARK, "cannot put \"%s\" aside", from);
    }
    if (rc == 0)
        printf("this machine knows its provider no more, and is told nothing by it; what it was is in %s. "
               "What runs here "
               "runs on until this machine restarts, without anybody who mends it: \"docker ps --filter "
               "label=fairlead.instance\" lists it. Ask the provider to revoke this node.\n",
               aside);
    arena_release(&arena);
    return rc < 0 ? failed(&err) : 0;
}
