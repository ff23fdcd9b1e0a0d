#include "base/json.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

void json_decref_p(json_t **json) {
    json_decref(*json);
}

/* jansson's own limit is 2048 levels: count the brackets outside strings before it recurses. */
static int check_depth(const char *text, size_t n, struct err *err) {
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > DEPTH_MAX)
                return err_set(err, ERR_PARK, "JSON is nested deeper than %d levels", DEPTH_MAX);
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return 0;
}

json_t *json_parse(const char *text, size_t n, struct err *err) {
    if (check_depth(text, n, err) < 0)
        return NULL;
    json_error_t e;
    json_t *json = json_loadb(text, n, JSON_REJECT_DUPLICATES, &e);
    if (!json && strstr(e.text, "JSON_ALLOW_NUL")) /* jansson's own words are for programmers */
        (void)err_set(err, ERR_PARK,
                      "JSON is not valid at line %d, column %d: a text cannot hold the character NUL", e.line,
                      e.column);
    else if (!json)
        (void)err_set(err, ERR_PARK, "JSON is not valid at line %d, column %d: %s", e.line, e.column, e.text);
    return json;
}

char *json_text(const json_t *json) {
    char *text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
    if (!text)
        abort();
    return text;
}

const char *json_str(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

int64_t json_int(const json_t *object, const char *key, int64_t otherwise) {
    const json_t *v = json_object_get(object, key);
    return json_is_integer(v) ? json_integer_value(v) : otherwise;
}
