#include "model/labels.h"

#include "base/str.h"

#include <string.h>

#define PART_MAX 30

static bool is_of(const char *s, size_t n, const char *allowed) {
    return n >= 1 && n <= PART_MAX && strspn(s, allowed) >= n;
}

bool label_is_valid(const char *s) {
    const char *eq = strchr(s, '=');
    return eq && s[0] >= 'a' && s[0] <= 'z' &&
           is_of(s, (size_t)(eq - s), "abcdefghijklmnopqrstuvwxyz0123456789-") &&
           is_of(eq + 1, strlen(eq + 1), "abcdefghijklmnopqrstuvwxyz0123456789.-");
}

/* The next one; its length. */
static size_t next(const char **list) {
    *list += strspn(*list, ",");
    return strcspn(*list, ",");
}

static bool has(const char *labels, const char *label, size_t n) {
    size_t m;
    for (const char *p = labels; (m = next(&p)); p += m)
        if (m == n && memcmp(p, label, n) == 0)
            return true;
    return false;
}

int labels_met(const char *labels, const char *wanted) {
    int met = 0;
    size_t n;
    for (const char *p = wanted ? wanted : ""; (n = next(&p)); p += n)
        met += labels && has(labels, p, n);
    return met;
}

int labels_n(const char *wanted) {
    int count = 0;
    size_t n;
    for (const char *p = wanted ? wanted : ""; (n = next(&p)); p += n)
        count++;
    return count;
}

const char *labels_of_json(struct arena *arena, const json_t *list) {
    const char *labels = NULL;
    const json_t *one;
    size_t i;
    json_array_foreach(list, i, one) {
        labels = labels_join(arena, labels, json_string_value(one));
    }
    return labels;
}

const char *labels_join(struct arena *arena, const char *a, const char *b) {
    bool first = a && *a, second = b && *b;
    if (first && second)
        return arena_printf(arena, "%s,%s", a, b);
    return first ? arena_strdup(arena, a) : second ? arena_strdup(arena, b) : NULL;
}
