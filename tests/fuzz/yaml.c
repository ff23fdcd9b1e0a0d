/* YAML of strangers: what is read can be written, and reads back as the same. */
#include "base/yaml.h"

#include "base/json.h"
#include "base/mem.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct err err = {0};
    cleanup_json json_t *json = yaml_parse("file.yaml", (const char *)data, size, &err);
    if (!json) {
        MUST(err.cls != ERR_NONE && err.text[0]);
        return 0;
    }
    cleanup_free char *text = yaml_emit(json, &err);
    if (!text)
        return 0; /* larger than may be written */
    cleanup_json json_t *again = yaml_parse("again.yaml", text, strlen(text), &err);
    MUST(again && json_equal(json, again));
    return 0;
}
