/* Labels of nodes, and what instances and plans ask of them: "region=eu,disk=ssd", KEY=VALUE with commas; ""
 * or NULL: none. */
#ifndef FAIRLEAD_MODEL_LABELS_H
#define FAIRLEAD_MODEL_LABELS_H

#include "base/mem.h"

#include <jansson.h>
#include <stdbool.h>

#define LABELS_MAX 8 /* that an instance or a plan asks for, and that a node has */
#define LABEL_KEY_RULE                                                                                       \
    "KEY=VALUE: a key of small letters, digits and hyphens that begins with a letter, a value of small "     \
    "letters, digits, points and hyphens, up to 30 characters each"
bool label_is_valid(const char *s);

/* How many of `wanted` are among `labels`, and how many are wanted. */
int labels_met(const char *labels, const char *wanted);
int labels_n(const char *wanted);
/* Of a JSON list of texts, and of two lists, with commas; in the arena. NULL: none. */
const char *labels_of_json(struct arena *arena, const json_t *list);
const char *labels_join(struct arena *arena, const char *a, const char *b);

#endif
