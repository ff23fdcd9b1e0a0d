/* Whether something new may be done here. A policy that cannot be read allows nothing: what runs runs on. */
#include "agent/agent.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "base/yaml.h"
#include "model/policy.h"
#include "node/document.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

const char *agent_path(const struct host *host, const char *name, struct arena *arena) {
    return arena_printf(arena, "%s/%s", host->conf.machine.state, name);
}

struct stacks {
    struct arena *arena;
    struct uuid instance; /* that is asked about */
    struct vec others;    /* struct uuid */
};

static void add_other(struct stacks *stacks, struct uuid id) {
    bool known = uuid_eq(id, stacks->instance);
    for (size_t i = 0; i < stacks->others.n && !known; i++)
        known = uuid_eq(*vec_at(&stacks->others, struct uuid, i), id);
    if (!known)
        *vec_add(stacks->arena, &stacks->others, struct uuid) = id;
}

/* Folders of what runs here are called INSTANCE, or INSTANCE.LETTER. */
static int add_folder(const char *name, void *arg, struct err *err) {
    char hex[UUID_HEX_SIZE];
    struct uuid id;
    (void)err;
    (void)snprintf(hex, sizeof hex, "%.32s", name);
    if (uuid_parse(hex, &id))
        add_other(arg, id);
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

/* One that was there, and is not, is somebody's mistake: it would allow all. */
static json_t *no_rules(const struct agent *agent, const char *seen, struct err *err) {
    if (!file_exists(seen))
        return policy_parse(agent->policy_file, "{}", 2, err); /* what stands there where nothing is said */
    (void)err_set(err, ERR_PARK, "%s was there, and is not any more: nothing new is done until it is again",
                  agent->policy_file);
    return NULL;
}

json_t *agent_rules(const struct agent *agent, struct err *err) {
    struct arena arena = {0};
    struct stat st;
    cleanup_free char *text = NULL;
    size_t n = 0;
    json_t *rules = NULL;
    const char *seen = agent_path(agent->host, AGENT_SEEN, &arena);
    if (stat(agent->policy_file, &st) < 0 && errno == ENOENT)
        rules = no_rules(agent, seen, err);
    else if (file_read(agent->policy_file, YAML_BYTES_MAX, &text, &n, err) == 0 &&
             /* Before it has joined there is nothing to remember, and no folder for it. */
             (file_exists(seen) || !file_exists(agent->host->conf.machine.state) ||
              file_write(seen, "", 0, 0600, err) == 0))
        rules = policy_parse(agent->policy_file, text, n, err);
    arena_release(&arena);
    return rules;
}

/* Under the mutex: of two that come together each is the other's neighbour. */
static bool ask(struct agent *agent, const json_t *rules, const Fairlead__V1__Document *document,
                const Fairlead__V1__Stack *stack, struct arena *arena, struct result *result) {
    struct err err = {0};
    const char *why;
    struct stacks stacks = {.arena = arena};
    memcpy(stacks.instance.b, document->instance.data, sizeof stacks.instance.b);
    (void)!file_list(agent_path(agent->host, "stacks", arena), add_folder, &stacks, &err);
    for (size_t i = 0; i < sizeof agent->granted / sizeof *agent->granted; i++)
        if (!uuid_is_nil(agent->granted[i]))
            add_other(&stacks, agent->granted[i]);
    const struct policy_question question = {.absent = document->absent,
                                             .stack = stack,
                                             .instances = (int64_t)stacks.others.n,
                                             .minute = local_minute()};
    enum policy_answer answer = policy_ask(rules, &question, arena, &why);
    if (answer != POLICY_YES)
        return refuse(result, answer == POLICY_LATER ? RESULT_IS_RETRY : RESULT_IS_PARK, "policy", why);
    why = stack && stack->running && !document->absent
              ? agent_unsigned(agent, json_str(rules, "signer"), stack, arena)
              : NULL;
    return !why || refuse(result, RESULT_IS_RETRY, "unsigned", why);
}

/* Until its folder is there, or it is taken away. */
static void note_grant(struct agent *agent, const Fairlead__V1__Document *document, bool runs) {
    struct uuid id;
    size_t n = sizeof agent->granted / sizeof *agent->granted;
    memcpy(id.b, document->instance.data, sizeof id.b);
    for (size_t i = 0; i < n; i++)
        if (uuid_eq(agent->granted[i], id))
            agent->granted[i] = (struct uuid){0};
    if (runs)
        agent->granted[agent->granted_n++ % n] = id;
}

bool agent_allows(void *arg, const Fairlead__V1__Document *document, struct keeper_outcome *outcome) {
    struct agent *agent = arg;
    struct err err = {0};
    struct arena *arena = outcome->arena;
    if (file_exists(agent_path(agent->host, AGENT_PAUSED, arena)))
        return refuse(&outcome->result, RESULT_IS_RETRY, "paused",
                      "Whoever this machine belongs to has paused it: it waits.");
    cleanup_json json_t *rules = agent_rules(agent, &err);
    if (!rules)
        return refuse(&outcome->result, RESULT_IS_RETRY, "policy",
                      arena_printf(arena, "The policy of this machine cannot be read: %s", err.text));
    Fairlead__V1__Stack *stack = node_document_stack(document);
    pthread_mutex_lock(&agent->mutex);
    bool allowed = ask(agent, rules, document, stack, arena, &outcome->result);
    if (stack)
        note_grant(agent, document, allowed && stack->running && !document->absent);
    pthread_mutex_unlock(&agent->mutex);
    fairlead__v1__stack__free_unpacked(stack, NULL);
    return allowed;
}
