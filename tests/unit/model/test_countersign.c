/* What a second signature covers: what runs and with what rights, and nothing that changes without it. */
#include "base/str.h"
#include "model/countersign.h"
#include "tests/support/check.h"

#include <string.h>

struct fixture {
    Fairlead__V1__Stack stack;
    Fairlead__V1__KeyValue image, *images[1], input, *inputs[1];
};

static void fill(struct fixture *f) {
    static char app[] = "wordpress", version[] = "1", spec[] = "{}", template[] = "services: {}\n",
                key[] = "web", value[] = "fairlead/web@sha256:11", typed[] = "x";
    fairlead__v1__stack__init(&f->stack);
    fairlead__v1__key_value__init(&f->image);
    fairlead__v1__key_value__init(&f->input);
    f->image.key = key;
    f->image.value = value;
    f->input.key = key;
    f->input.value = typed;
    f->images[0] = &f->image;
    f->inputs[0] = &f->input;
    f->stack.app = app;
    f->stack.version = version;
    f->stack.spec = spec;
    f->stack.template_ = template;
    f->stack.images = f->images;
    f->stack.n_images = 1;
    f->stack.inputs = f->inputs;
    f->stack.n_inputs = 1;
}

static void name_of(const struct fixture *f, char out[COUNTERSIGN_NAME_SIZE]) {
    struct arena arena = {0};
    countersign_name(countersign_text(&f->stack, &arena), out);
    arena_release(&arena);
}

static void what_runs_is_covered(void **state) {
    char before[COUNTERSIGN_NAME_SIZE], after[COUNTERSIGN_NAME_SIZE];
    static char other[] = "fairlead/web@sha256:22", rights[] = "services: {web: {cap_add: [NET_RAW]}}\n",
                spec[] = "{\"services\":{}}", version[] = "2";
    struct fixture f;
    (void)state;
    fill(&f);
    name_of(&f, before);
    char **const parts[] = {&f.image.value, &f.stack.template_, &f.stack.spec, &f.stack.version};
    char *const others[] = {other, rights, spec, version};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *was = *parts[i];
        *parts[i] = others[i];
        name_of(&f, after);
        assert_string_not_equal(before, after);
        *parts[i] = was;
    }
}

/* Another site of the same app, another port, more memory, more time: no new signature. */
static void what_changes_without_it_is_not(void **state) {
    char before[COUNTERSIGN_NAME_SIZE], after[COUNTERSIGN_NAME_SIZE];
    static char typed[] = "y", url[] = "https://x", address[] = "10.0.0.9";
    struct fixture f;
    (void)state;
    fill(&f);
    name_of(&f, before);
    f.input.value = typed;
    f.stack.public_url = url;
    f.stack.address = address;
    f.stack.port = 4711;
    f.stack.memory_mb = 1;
    f.stack.run_until_us = 1;
    name_of(&f, after);
    assert_string_equal(before, after);
}

/* Who signs must have read it: nothing may hide from them what stands behind it. */
static void what_cannot_be_read_is_never_signed(void **state) {
    static char app[] = "wordpress 1\nimage web other", hidden[] = "services: {}\n\033[2J", image[] = "a@b\r";
    struct fixture f;
    (void)state;
    char **const parts[] = {&f.stack.app, &f.stack.template_, &f.image.value};
    char *const others[] = {app, hidden, image};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct arena arena = {0};
        fill(&f);
        *parts[i] = others[i];
        assert_null(countersign_text(&f.stack, &arena));
        arena_release(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_runs_is_covered),
        cmocka_unit_test(what_changes_without_it_is_not),
        cmocka_unit_test(what_cannot_be_read_is_never_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
