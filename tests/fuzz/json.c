/* JSON of strangers: what parses is printed and parses again as the same, within the ceilings of base/json.h.
 */
#include "base/json.h"

#include "base/mem.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct err err = {0};
    cleanup_json json_t *json = json_parse((const char *)data, size, &err);
    if (!json) {
        MUST(err.cls != ERR_NONE && err.text[0]);
        return 0;
    }
    cleanup_free char *text = json_text(json);
    cleanup_json json_t *again = json_parse(text, strlen(text), &err);
    MUST(again && json_equal(json, again));
    return 0;
}
