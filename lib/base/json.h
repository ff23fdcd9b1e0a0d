/* Small helpers over jansson. A json_t owned by the caller is released by cleanup_json. */
#ifndef FAIRLEAD_BASE_JSON_H
#define FAIRLEAD_BASE_JSON_H

#include "base/err.h"

#include <jansson.h>
#include <stdint.h>

void json_decref_p(json_t **json);
#define cleanup_json __attribute__((cleanup(json_decref_p)))

/* Strict: one object or array, no duplicate keys, no NUL, depth at most 32, nothing behind it. Class park. */
json_t *json_parse(const char *text, size_t n, struct err *err);
/* Sorted keys, compact: the same value always gives the same bytes. The caller frees. */
char *json_text(const json_t *json);

/* NULL or the default where the key is missing or of another type. Borrowed. */
const char *json_str(const json_t *object, const char *key);
int64_t json_int(const json_t *object, const char *key, int64_t otherwise);

#endif
