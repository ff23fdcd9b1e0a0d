/* F3, P21: whatever a tenant types becomes one scalar of the Compose file and nothing else. The bytes are the
 * value of an input, of the title, of the host; the file that comes out must have the shape that a plain word
 * gives, and hold the value with every "$" doubled. */
#include "model/render.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/yaml.h"
#include "model/tables.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const char spec_text[] = "{\"title\":\"A\",\"services\":{\"web\":{\"image\":\"web\",\"memory_share\":"
                                "100,\"cpu_share\":100}},\"inputs\":{"
                                "\"title\":{\"title\":\"T\"}},\"health\":{\"service\":\"web\",\"port\":80}}";
static char template_text[] =
    "services:\n  web:\n    user: \"1000\"\n    environment:\n      TITLE: \"a {{inputs.title}} "
    "b\"\n    healthcheck:\n      test: [\"CMD\", \"{{inputs.title}}\"]\n";

/* The Compose file as JSON with this input; NULL: refused. */
static json_t *render(const json_t *spec, char *value) {
    struct err err = {0};
    Fairlead__V1__Stack stack = FAIRLEAD__V1__STACK__INIT;
    Fairlead__V1__KeyValue input = FAIRLEAD__V1__KEY_VALUE__INIT, image = FAIRLEAD__V1__KEY_VALUE__INIT;
    Fairlead__V1__KeyValue *inputs[] = {&input}, *images[] = {&image};
    json_t *compose = NULL;
    char *text = NULL;
    input.key = (char *)(uintptr_t) "title";
    input.value = value;
    image.key = (char *)(uintptr_t) "web";
    image.value =
        (char *)(uintptr_t) "a/b@sha256:0000000000000000000000000000000000000000000000000000000000000000";
    stack.template_ = template_text;
    stack.address = (char *)(uintptr_t) "127.0.0.1";
    stack.port = 20000;
    stack.memory_mb = 64;
    stack.cpu_milli = 100;
    stack.pids = 10;
    stack.n_inputs = stack.n_images = 1;
    stack.inputs = inputs;
    stack.images = images;
    struct render_input in = {.stack = &stack,
                              .spec = spec,
                              .instance = "00000000000000000000000000000001",
                              .node = "00000000000000000000000000000002",
                              .letter = SET_FIRST,
                              .registry = "r",
                              .secrets_dir = "/s"};
    if (render_compose(&in, &compose, &text, &err) < 0)
        return NULL;
    json_t *read = yaml_parse("compose.yaml", text, strlen(text), &err);
    MUST(read);
    json_decref(compose);
    free(text);
    return read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static json_t *plain, *spec;
    if (!spec) {
        spec = json_loads(spec_text, 0, NULL);
        plain = render(spec, (char *)(uintptr_t) "x");
        MUST(plain);
    }
    if (size > 4096)
        return 0;
    cleanup_free char *value = mem_alloc(size + 1);
    memcpy(value, data, size);
    cleanup_json json_t *file = render(spec, value);
    if (!file)
        return 0;
    cleanup_str struct str doubled = STR_INIT(20000);
    for (const char *p = value; *p; p++)
        str_adds(&doubled, *p == '$' ? "$$" : (const char[]){*p, '\0'});
    json_t *web = json_object_get(json_object_get(file, "services"), "web");
    cleanup_str struct str want = STR_INIT(20000);
    str_addf(&want, "a %s b", str_text(&doubled));
    MUST(str_eq(json_str(json_object_get(web, "environment"), "TITLE"), str_text(&want)));
    /* With the value taken out again, the file is the plain one. */
    (void)json_object_set_new(json_object_get(web, "environment"), "TITLE", json_string("a x b"));
    (void)json_array_set_new(json_object_get(json_object_get(web, "healthcheck"), "test"), 1,
                             json_string("x"));
    MUST(json_equal(file, plain));
    return 0;
}
