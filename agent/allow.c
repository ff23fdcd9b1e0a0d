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

static bool ask(const struct agent *agent, const json_t *rules, const Fairlead__V1__Document *document,
                struct arena *arena, struct result *result) {
    struct err err = {0};
    char hex[UUID_HEX_SIZE];
    const char *why;
    hex_encode(hex, document->instance.data, document->instance.len);
    struct stacks stacks = {.instance = hex};
    Fairlead__V1__Stack *stack =
        str_eq(document->kind, "stack")
            ? fairlead__v1__stack__unpack(NULL, document->content.len, document->content.data)
            : NULL;
    (void)!file_list(agent_path(agent->host, "stacks", arena), count, &stacks, &err);
    const struct policy_question question = {
        .absent = document->absent, .stack = stack, .instances = stacks.others, .minute = local_minute()};
    enum policy_answer answer = policy_ask(rules, &question, arena, &why);
    if (stack)
        fairlead__v1__stack__free_unpacked(stack, NULL);
    return answer == POLICY_YES ||
           refuse(result, answer == POLICY_LATER ? RESULT_IS_RETRY : RESULT_IS_PARK, "policy", why);
}

bool agent_allows(void *arg, const Fairlead__V1__Document *document, struct keeper_outcome *outcome) {
    const struct agent *agent = arg;
    struct err err = {0};
    cleanup_free char *text = NULL;
    size_t n = 0;
    if (file_exists(agent_path(agent->host, AGENT_PAUSED, outcome->arena)))
        return refuse(&outcome->result, RESULT_IS_RETRY, "paused",
                      "Whoever this machine belongs to has paused it: it waits.");
    if (!file_exists(agent->policy_file))
        return true;
    cleanup_json json_t *rules = file_read(agent->policy_file, YAML_BYTES_MAX, &text, &n, &err) == 0
                                     ? policy_parse(agent->policy_file, text, n, &err)
                                     : NULL;
    if (!rules)
        return refuse(
            &outcome->result, RESULT_IS_RETRY, "policy",
            arena_printf(outcome->arena, "The policy of this machine cannot be read: %s", err.text));
    return ask(agent, rules, document, outcome->arena, &outcome->result);
}
