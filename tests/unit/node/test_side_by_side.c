/* Acceptance 32: two customers' apps on one machine, whose work is done side by side ten thousand times: what
 * is one's is never in what is made for the other. As the keeper has it: four threads, an arena for each
 * piece of work, nothing else. */
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "model/render.h"
#include "model/tables.h"
#include "node/secrets.h"
#include "tests/support/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 4
#define TIMES 2500 /* each */

static char template_text[] =
    "services:\n  web:\n    user: \"1000\"\n    environment:\n      TITLE: \"{{inputs.title}}\"\n"
    "    healthcheck:\n      test: [\"CMD\", \"{{inputs.title}}\"]\n";

struct customer {
    struct secrets secrets;
    struct sign_keys owner; /* whom its secret is delivered to */
    json_t *spec;
    char title[40], secret[SECRET_MAX];
    const struct customer *other;
};

static struct node_identity node;
static atomic_int crossed, done; /* cmocka's asserts are for its own thread */

/* The Compose file; the caller frees. NULL: there is none. */
static char *render(const struct customer *c) {
    struct err err = {0};
    Fairlead__V1__Stack stack = FAIRLEAD__V1__STACK__INIT;
    Fairlead__V1__KeyValue input = FAIRLEAD__V1__KEY_VALUE__INIT, image = FAIRLEAD__V1__KEY_VALUE__INIT;
    Fairlead__V1__KeyValue *inputs[] = {&input}, *images[] = {&image};
    char key[] = "title", title[sizeof c->title], web[] = "web", address[] = "127.0.0.1", *text = NULL,
         digest[] = "a/b@sha256:0000000000000000000000000000000000000000000000000000000000000000";
    json_t *compose = NULL;
    (void)snprintf(title, sizeof title, "%s", c->title);
    input.key = key;
    input.value = title;
    image.key = web;
    image.value = digest;
    stack.template_ = template_text;
    stack.address = address;
    stack.port = 20000;
    stack.memory_mb = 64;
    stack.cpu_milli = 100;
    stack.pids = 10;
    stack.n_inputs = stack.n_images = 1;
    stack.inputs = inputs;
    stack.images = images;
    const struct render_input in = {.stack = &stack,
                                    .spec = c->spec,
                                    .instance = c->secrets.instance,
                                    .node = "00000000000000000000000000000002",
                                    .letter = SET_FIRST,
                                    .registry = "r",
                                    .secrets_dir = c->secrets.secrets_dir};
    if (render_compose(&in, &compose, &text, &err) < 0)
        return NULL;
    json_decref(compose);
    return text;
}

static bool is_of(const struct customer *c, const char *text) {
    return text && strstr(text, c->title) && strstr(text, c->secrets.instance) && !strstr(text, c->secret) &&
           !strstr(text, c->other->title) && !strstr(text, c->other->secrets.instance) &&
           !strstr(text, c->other->secret);
}

/* What is sealed for its owner is its own, and opens for nobody else. */
static bool delivers(const struct customer *c) {
    struct arena arena = {0};
    struct err err = {0};
    void *box, *plain;
    size_t box_n, n;
    bool good =
        secrets_seal(&c->secrets, "token", json_object_get(json_object_get(c->spec, "secrets"), "token"),
                     c->owner.seal_public, &arena, &box, &box_n, &err) == 0 &&
        sign_unseal(&c->other->owner, box, box_n, &arena, &plain, &n, &err) < 0 &&
        sign_unseal(&c->owner, box, box_n, &arena, &plain, &n, &err) == 0;
    const char *text = good ? arena_strndup(&arena, plain, n) : "";
    good = good && strstr(text, c->secret) && strstr(text, c->secrets.instance) &&
           !strstr(text, c->other->secret);
    arena_release(&arena);
    return good;
}

static void *work(void *arg) {
    const struct customer *c = arg;
    for (int i = 0; i < TIMES; i++) {
        char value[SECRET_MAX];
        struct err err = {0};
        cleanup_free char *text = render(c);
        bool good = is_of(c, text) && secrets_open(&c->secrets, "token", value, &err) == 0 &&
                    str_eq(value, c->secret) && !secrets_missing(&c->secrets, c->spec) && delivers(c);
        crossed += !good;
        done++;
    }
    return NULL;
}

static void set_up_customer(struct customer *c, const char *instance, const char *title, const char *folder) {
    struct err err = {0};
    static char clear[80];
    (void)snprintf(clear, sizeof clear, "%s/clear", folder);
    c->secrets = (struct secrets){&node, folder, clear, instance};
    (void)snprintf(c->title, sizeof c->title, "%s", title);
    sign_keys_make(&c->owner);
    c->spec =
        json_pack("{s:s, s:{s:{s:s, s:i, s:i}}, s:{s:{s:s}}, s:{s:{s:b, s:[{s:s, s:i}]}}, s:{s:s, s:i}}",
                  "title", "A", "services", "web", "image", "web", "memory_share", 100, "cpu_share", 100,
                  "inputs", "title", "title", "T", "secrets", "token", "deliver", 1, "readers", "service",
                  "web", "uid", (int)getuid(), "health", "service", "web", "port", 80);
    assert_non_null(c->spec);
    assert_int_equal(secrets_ensure(&c->secrets, c->spec, &err), 0);
    assert_int_equal(secrets_open(&c->secrets, "token", c->secret, &err), 0);
    assert_true(strlen(c->secret) >= 20);
}

static void nothing_crosses(void **state) {
    char folder[] = "/tmp/fairlead-side-XXXXXX";
    struct err err = {0};
    struct customer town = {0}, firm = {0};
    pthread_t threads[THREADS];
    (void)state;
    assert_int_equal(sign_init(&err), 0);
    assert_non_null(mkdtemp(folder));
    sign_keys_make(&node.keys);
    set_up_customer(&town, "00000000000000000000000000000011", "the town hall's own words", folder);
    set_up_customer(&firm, "00000000000000000000000000000022", "what the firm has written", folder);
    town.other = &firm;
    firm.other = &town;
    assert_string_not_equal(town.secret, firm.secret);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, i % 2 ? &town : &firm), 0);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    assert_int_equal(crossed, 0);
    assert_int_equal(done, THREADS * TIMES);
    json_decref(town.spec);
    json_decref(firm.spec);
    assert_int_equal(file_remove_tree(folder, &err), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_crosses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
