/* The second signature: where the policy names a signer, a stack that was never as wanted here starts only
 * with a signature of that key over what runs. Signatures lie in a folder of the customer's, by the name of
 * what they are over; the key itself is never on this machine. */
#include "model/countersign.h"

#include "agent/agent.h"
#include "base/file.h"
#include "base/str.h"
#include "io/sign.h"
#include "node/document.h"

#include <stdio.h>
#include <string.h>

static const char *signature_path(const struct agent *agent, const char *name, struct arena *arena) {
    return arena_printf(arena, "%s/%s.sig", agent->signatures, name);
}

static bool is_signed(const struct agent *agent, const char *signer, const char *text, struct arena *arena) {
    char name[COUNTERSIGN_NAME_SIZE];
    uint8_t key[SIGN_PUBLIC_SIZE], signature[SIGN_SIZE];
    cleanup_free char *hex = NULL;
    const char *path = signature_path(agent, countersign_name(text, name), arena);
    if (!file_exists(path) || file_read(path, 1024, &hex, NULL, NULL) < 0)
        return false;
    hex[strcspn(hex, " \r\n")] = '\0';
    return hex_decode(key, sizeof key, signer) && hex_decode(signature, sizeof signature, hex) &&
           sign_verify(key, COUNTERSIGN_TYPE, text, strlen(text), signature, sizeof signature);
}

const char *agent_unsigned(const struct agent *agent, const char *signer, const Fairlead__V1__Stack *stack,
                           struct arena *arena) {
    char name[COUNTERSIGN_NAME_SIZE];
    const char *text = countersign_text(stack, arena);
    if (signer && !text)
        return "What it runs is not all text, so nobody can read what they would sign.";
    if (!signer || is_signed(agent, signer, text, arena))
        return NULL;
    return arena_printf(arena, "What it runs waits for a signature of its customer: %s.",
                        countersign_name(text, name));
}

/* ---- commands ---- */

struct looking {
    const struct agent *agent;
    struct node_identity node;
    const char *signer, *wanted; /* wanted: the name of one; NULL: all are listed */
    int found;
};

static void tell_one(struct looking *looking, const Fairlead__V1__Stack *stack, struct arena *arena) {
    char name[COUNTERSIGN_NAME_SIZE];
    const char *text = countersign_text(stack, arena);
    if (!text)
        return;
    countersign_name(text, name);
    if (looking->wanted && !str_eq(looking->wanted, name))
        return;
    if (looking->wanted && !looking->found)
        (void)fputs(text, stdout);
    else if (!looking->wanted && agent_unsigned(looking->agent, looking->signer, stack, arena))
        printf("%s\t%s %s\t%s\n", name, stack->app, stack->version, stack->text);
    looking->found++;
}

static void look(void *arg, const Fairlead__V1__Document *document, bool was_healthy) {
    struct arena arena = {0};
    Fairlead__V1__Stack *stack = document->absent || was_healthy ? NULL : node_document_stack(document);
    if (stack && stack->running)
        tell_one(arg, stack, &arena);
    fairlead__v1__stack__free_unpacked(stack, NULL);
    arena_release(&arena);
}

static int look_for(const struct host *host, const char *wanted) {
    struct err err = {0};
    struct looking looking = {.agent = host->conf.arg, .wanted = wanted};
    cleanup_json json_t *rules = agent_rules(looking.agent, &err);
    looking.signer = json_str(rules, "signer");
    if (!rules || node_load(host->conf.machine.state, &looking.node, &err) < 0 ||
        node_document_each(&looking.node, host->conf.machine.state, look, &looking, &err) < 0) {
        (void)fprintf(stderr, "fairlead-agent: %s\n", err.text);
        return 1;
    }
    if (wanted && !looking.found)
        (void)fprintf(stderr, "fairlead-agent: nothing here waits under the name \"%.40s\"\n", wanted);
    return wanted && !looking.found;
}

int agent_list_unsigned(struct host *host, char **args) {
    (void)args;
    return look_for(host, NULL);
}

int agent_show_unsigned(struct host *host, char **args) {
    return look_for(host, args[0]);
}
