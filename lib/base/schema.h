/* The one validator: tables of fields over jansson, for settings, catalogue files and API bodies alike.
 *
 * A table is an array of rows ended by {0}. Unknown keys are refused with the nearest known list; a missing
 * required key, a wrong type, a length or range outside [min, max] and a failed check are refused with the
 * path of the value ("inputs.title: ..."). Values that came from YAML or a command line are all strings: with
 * SCHEMA_TEXT, integers and booleans are read from them and replaced in place. Defaults are filled in. */
#ifndef FAIRLEAD_BASE_SCHEMA_H
#define FAIRLEAD_BASE_SCHEMA_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum schema_type {
    SCHEMA_END = 0,
    SCHEMA_STRING, /* min..max characters (max 0: 4096) */
    SCHEMA_INT,    /* min..max */
    SCHEMA_BOOL,
    SCHEMA_LIST,   /* min..max items (max 0: 64), each an object of `fields`, or a string when NULL */
    SCHEMA_OBJECT, /* of `fields` */
    SCHEMA_MAP,    /* any keys that pass `check`; values objects of `fields`, or strings when NULL */
    SCHEMA_ANY,    /* whatever JSON: judged by somebody else */
};

struct schema_field {
    const char *name;
    enum schema_type type;
    bool required;
    int64_t min, max;
    const char *otherwise;        /* default, as text */
    const char *const *values;    /* NULL-ended list of what a string may be */
    bool (*check)(const char *s); /* grammar of a string (of the keys, for a map) */
    const char *rule;             /* that grammar in words, for the error and the docs */
    const struct schema_field *fields;
    const char *help; /* one line for docs and --help */
};

enum schema_flags { SCHEMA_TEXT = 1 };

/* Class park. The error names the value's path and the rule. */
MUST_CHECK int schema_check(json_t *object, const struct schema_field *fields, unsigned flags,
                            struct err *err);

/* The table as Markdown rows, for generated docs. The caller frees. */
char *schema_markdown(const struct schema_field *fields);

#endif
