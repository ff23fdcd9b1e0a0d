/* A catalogue entry of a stranger: app.yaml, then a line of dashes, then compose.yaml. */
#include "base/json.h"
#include "base/mem.h"
#include "base/yaml.h"
#include "model/catalog.h"
#include "model/template.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct err err = {0};
    cleanup_free char *text = mem_alloc(size + 1);
    memcpy(text, data, size);
    char *cut = strstr(text, "\n----\n");
    const char *template = cut ? cut + 6 : "";
    size_t n = cut ? (size_t)(cut - text) : strlen(text);
    cleanup_json json_t *spec = yaml_parse("app.yaml", text, n, &err);
    if (!spec)
        return 0;
    struct release *release = release_parse((struct uuid){{1}}, "app", NULL, spec, template, &err);
    if (!release) {
        MUST(err.cls == ERR_PARK && err.text[0]);
        return 0;
    }
    (void)template_check(template, release->spec, &err);
    release_free(release);
    return 0;
}
