/* What a customer allows in its own network , whoever signs: each rule refuses what it is about, and nothing
 * else; a file that cannot be understood allows nothing. */
#include "base/str.h"
#include "model/policy.h"
#include "tests/support/check.h"

#include <string.h>

#define DIGEST "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define OTHER "sha256:2222222222222222222222222222222222222222222222222222222222222222"

typedef void changing(struct policy_question *question, Fairlead__V1__Stack *stack);

/* About a stack that all of the rules below let pass, but for what is changed of it. */
static enum policy_answer ask(const char *text, changing *change) {
    char key[] = "web", image[200] = "fairlead/app-web@" DIGEST, app[] = "wordpress";
    Fairlead__V1__KeyValue pair = FAIRLEAD__V1__KEY_VALUE__INIT, *pairs[] = {&pair};
    Fairlead__V1__Stack stack = FAIRLEAD__V1__STACK__INIT;
    struct arena arena = {0};
    struct err err = {0};
    const char *why;
    pair.key = key;
    pair.value = image;
    stack.running = true;
    stack.app = app;
    stack.images = pairs;
    stack.n_images = 1;
    stack.port = 20500;
    stack.memory_mb = 512;
    stack.cpu_milli = 500;
    stack.disk_mb = 1000;
    struct policy_question question = {.stack = &stack, .instances = 2, .minute = 12 * 60};
    json_t *rules = policy_parse("policy.yaml", text, strlen(text), &err);
    if (!rules)
        fail_msg("%s", err.text);
    if (change)
        change(&question, &stack);
    enum policy_answer answer = policy_ask(rules, &question, &arena, &why);
    assert_true((answer == POLICY_YES) == (why == NULL));
    json_decref(rules);
    arena_release(&arena);
    return answer;
}

static void what_the_rules_allow_passes(void **state) {
    (void)state;
    assert_int_equal(ask("{}", NULL), POLICY_YES);
    assert_int_equal(ask("apps: [wordpress]\nrepositories: [fairlead/]\ndigests: [\"" DIGEST "\"]\n"
                         "ports: 20000-20999\nmemory_mb: 512\ncpu_milli: 500\ndisk_mb: 1000\ninstances: 3\n"
                         "hours: 12:00-12:01\ndeletion: false\n",
                         NULL),
                     POLICY_YES);
}

static void each_rule_refuses_what_it_is_about(void **state) {
    static const char *const rules[] = {
        "apps: [grafana]",        "apps: []",           "repositories: [fairlead/app]",
        "repositories: [other/]", "ports: 20501-20999", "digests: [\"" OTHER "\"]",
        "ports: 1-20499",         "memory_mb: 511",     "cpu_milli: 499",
        "disk_mb: 999",           "instances: 2",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        assert_int_equal(ask(rules[i], NULL), POLICY_NO);
}

static void add_image(struct policy_question *question, Fairlead__V1__Stack *stack) {
    static char key[] = "db", image[] = "elsewhere/db@" DIGEST;
    static Fairlead__V1__KeyValue second, *both[2];
    (void)question;
    fairlead__v1__key_value__init(&second);
    second.key = key;
    second.value = image;
    both[0] = stack->images[0];
    both[1] = &second;
    stack->images = both;
    stack->n_images = 2;
}

static void name_by_tag(struct policy_question *question, Fairlead__V1__Stack *stack) {
    (void)question;
    stack->images[0]->value[strcspn(stack->images[0]->value, "@")] = ':';
}

static void every_image_is_looked_at(void **state) {
    (void)state;
    assert_int_equal(ask("repositories: [fairlead/]", add_image), POLICY_NO);
    assert_int_equal(ask("{}", name_by_tag), POLICY_NO); /* what a tag means may change */
}

static void delete_it(struct policy_question *question, Fairlead__V1__Stack *stack) {
    (void)stack;
    question->absent = true;
    question->stack = NULL;
}

static void stop_it(struct policy_question *question, Fairlead__V1__Stack *stack) {
    (void)question;
    stack->running = false;
}

static void what_is_not_allowed_may_stop_and_go(void **state) {
    (void)state;
    assert_int_equal(ask("apps: [grafana]", delete_it), POLICY_YES);
    assert_int_equal(ask("apps: [grafana]", stop_it), POLICY_YES);
    assert_int_equal(ask("deletion: true", delete_it), POLICY_YES);
    assert_int_equal(ask("deletion: false", delete_it), POLICY_NO);
}

static void at_night(struct policy_question *question, Fairlead__V1__Stack *stack) {
    (void)stack;
    question->minute = 2 * 60;
}

static void outside_its_hours_a_change_waits(void **state) {
    (void)state;
    assert_int_equal(ask("hours: 19:00-06:00", NULL), POLICY_LATER);
    assert_int_equal(ask("hours: 19:00-06:00", at_night), POLICY_YES);
    assert_int_equal(ask("hours: 08:00-18:00", at_night), POLICY_LATER);
    assert_int_equal(ask("hours: 08:00-12:00", NULL), POLICY_LATER); /* the end does not belong to it */
    assert_int_equal(ask("hours: 08:00-18:00\nmemory_mb: 1", at_night),
                     POLICY_NO); /* it would wait in vain */
}

static void what_is_no_policy_is_told_by_its_place(void **state) {
    static const char *const texts[] = {
        "memory: 64",         "memory_mb: much",    "hours: 8-18",
        "hours: 24:00-06:00", "hours: 08:00-08:00", "ports: 9-8",
        "digests: [latest]",  "deletion: perhaps",  "[apps]",
        "apps: wordpress",    "ports: 2000",        "memory_mb: 1\nmemory_mb: 2",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct err err = {0};
        json_t *rules = policy_parse("policy.yaml", texts[i], strlen(texts[i]), &err);
        if (rules)
            fail_msg("\"%s\" was taken", texts[i]);
        assert_true(str_starts(err.text, "policy.yaml"));
        assert_int_equal(err.cls, ERR_PARK);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_rules_allow_passes),
        cmocka_unit_test(each_rule_refuses_what_it_is_about),
        cmocka_unit_test(every_image_is_looked_at),
        cmocka_unit_test(what_is_not_allowed_may_stop_and_go),
        cmocka_unit_test(outside_its_hours_a_change_waits),
        cmocka_unit_test(what_is_no_policy_is_told_by_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
