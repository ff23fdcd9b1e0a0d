/* A customer's policy, and a question: whatever stands there, the answer is one of three, and says why. */
#include "model/policy.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/fuzz/fuzz.h"

static void ask(const json_t *rules, int minute, const Fairlead__V1__Stack *stack) {
    struct arena arena = {0};
    const char *why;
    const struct policy_question question = {
        .absent = !stack, .stack = stack, .instances = minute, .minute = minute};
    enum policy_answer answer = policy_ask(rules, &question, &arena, &why);
    MUST((answer == POLICY_YES) == !why);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct err err = {0};
    char key[] = "web", image[] = "fairlead/app-web@sha256:00", app[] = "app";
    Fairlead__V1__KeyValue pair = FAIRLEAD__V1__KEY_VALUE__INIT, *pairs[] = {&pair};
    Fairlead__V1__Stack stack = FAIRLEAD__V1__STACK__INIT;
    cleanup_json json_t *rules = policy_parse("policy.yaml", (const char *)data, size, &err);
    if (!rules) {
        MUST(err.cls == ERR_PARK && str_starts(err.text, "policy.yaml"));
        return 0;
    }
    pair.key = key;
    pair.value = image;
    stack.running = true;
    stack.app = app;
    stack.images = pairs;
    stack.n_images = 1;
    stack.port = 20000;
    stack.memory_mb = 64;
    for (int minute = 0; minute < 1440; minute += 479) {
        ask(rules, minute, &stack);
        ask(rules, minute, NULL);
    }
    return 0;
}
