/* Whether something new may be done here. A policy that cannot be read allows nothing: what runs runs on. */
#include "agent/agent.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "base/yaml.h"
#include "model/policy.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

const char *agent_path(const struct host *host, const char *name, struct arena *arena) {
    return arena_printf(arena, "%s/%s", host->conf.machine.state, name);
}

struct stacks {
    const char *instance; /* that is asked about */
    int64_t others;
};

/* Folders of what runs here are called INSTANCE, or INSTANCE.LETTER. */
static int count(const char *name, void *arg, struct err *err) {
    struct stacks *stacks = arg;
    (void)err;
    stacks->others += !strchr(name, '.') && !str_eq(name, stacks->instance);
    return 0;
}

static int local_minute(void) {
    struct tm now;
    time_t at = time(NULL);
    (void)localtime_r(&at, &now);
    return now.tm_hour * 60 + now.tm_min;
}

static bool refuse(struct result *result, enum result_class class, const char *code, const char *why) {
    result->class = class;
    result->code = code;
    result->text = why;
    return false;
}

json_t *agent_rules(const struct agent *agent, struct err *err) {
    cleanup_free char *text = NULL;
    size_t n = 0;
    if (!file_exists(agent->policy_file))
        return policy_parse(agent->policy_file, "{}", 2, err); /* what stands there where nothing is said */
    return file_read(agent->policy_file, YAML_BYTES_MAX, &text, &n, err) == 0
               ? policy_parse(agent->policy_file, text, n, err)
               : NULL;
}

static bool ask(const struct agent *agent, const json_t *rules, const Fairlead__V1__Document *document,
                const Fairlead__V1__Stack *stack, struct arena *arena, struct result *result) {
    struct err err = {0};
    char hex[UUID_HEX_SIZE];
    const char *why;
    hex_encode(hex, document->instance.data, document->instance.len);
    struct stacks stacks = {.instance = hex};
    (void)!file_list(agent_path(agent->host, "stacks", arena), count, &stacks, &err);
    const struct policy_question question = {
        .absent = document->absent, .stack = stack, .instances = stacks.others, .minute = local_minute()};
    enum policy_answer answer = policy_ask(rules, &question, arena, &why);
    if (answer != POLICY_YES)
        return refuse(result, answer == POLICY_LATER ? RESULT_IS_RETRY : RESULT_IS_PARK, "policy", why);
    why = stack && stack->running && !document->absent
              ? agent_unsigned(agent, json_str(rules, "signer"), stack, arena)
              : NULL;
    return !why || refuse(result, RESULT_IS_RETRY, "unsigned", why);
}

bool agent_allows(void *arg, const Fairlead__V1__Document *document, struct keeper_outcome *outcome) {
    const struct agent *agent = arg;
    struct err err = {0};
    struct arena *arena = outcome->arena;
    if (file_exists(agent_path(agent->host, AGENT_PAUSED, arena)))
        return refuse(&outcome->result, RESULT_IS_RETRY, "paused",
                      "Whoever this machine belongs to has paused it: it waits.");
    cleanup_json json_t *rules = agent_rules(agent, &err);
    if (!rules)
        return refuse(&outcome->result, RESULT_IS_RETRY, "policy",
                      arena_printf(arena, "The policy of this machine cannot be read: %s", err.text));
    Fairlead__V1__Stack *stack =
        str_eq(document->kind, "stack")
            ? fairlead__v1__stack__unpack(NULL, document->content.len, document->content.data)
            : NULL;
    bool allowed = ask(agent, rules, document, stack, arena, &outcome->result);
    if (stack)
        fairlead__v1__stack__free_unpacked(stack, NULL);
    return allowed;
}
