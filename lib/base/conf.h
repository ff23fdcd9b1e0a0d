/* Settings of a program: one table row each. Precedence: command line (--name VALUE or --name=VALUE),
 * environment (FAIRLEAD_NAME), file ("name = value" lines, # for comments; --config FILE), default. Unknown
 * names are refused. The same table prints --help and docs/CONFIG.md. Some are read again while a program
 * runs, when it is told to. */
#ifndef FAIRLEAD_BASE_CONF_H
#define FAIRLEAD_BASE_CONF_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Which Fairlead this is: told by nodes with their presence, and by the metrics of both programs. */
#define FAIRLEAD_VERSION "0.2"

struct conf_row {
    const char *name;      /* with hyphens; in the environment upper case with underscores */
    const char *otherwise; /* NULL: required */
    const char *help;
    char *value;         /* set by conf_read(); owned by the table */
    int64_t least, most; /* of a number; 0 and 0: it is none */
    const char *choices; /* words, a space between two; NULL: any text */
    bool list;           /* several of them, with commas; none, where that is the default */
    bool live;           /* conf_reload() takes another value */
};

#define CONF_TEXT(name, otherwise, help)                                                                     \
    { name, otherwise, help, NULL, 0, 0, NULL, false, false }
#define CONF_NUMBER(name, otherwise, help, least, most)                                                      \
    { name, otherwise, help, NULL, least, most, NULL, false, false }
#define CONF_CHOICE(name, otherwise, help, choices)                                                          \
    { name, otherwise, help, NULL, 0, 0, choices, false, false }
#define CONF_LIST(name, otherwise, help, choices)                                                            \
    { name, otherwise, help, NULL, 0, 0, choices, true, false }
#define CONF_LIVE_CHOICE(name, otherwise, help, choices)                                                     \
    { name, otherwise, help, NULL, 0, 0, choices, false, true }
#define CONF_LIVE_LIST(name, otherwise, help, choices)                                                       \
    { name, otherwise, help, NULL, 0, 0, choices, true, true }

/* Reads settings from argv (from argv[1] on); what is no option is moved to the front: *ret_args of them,
 * from argv[1]. --help sets *ret_help; --version is answered here, and ends the program. Class park. The
 * table ends with a row without a name. */
MUST_CHECK int conf_read(struct conf_row *rows, int argc, char **argv, int *ret_args, bool *ret_help,
                         struct err *err);
/* The same sources once more, as they are now: rows that are live take what they say; of others that differ
 * the names are added to `later`, a space before each. Class park: they cannot be read, and nothing has
 * changed. By one thread, which alone asks for live rows. */
MUST_CHECK int conf_reload(struct conf_row *rows, struct str *later, struct err *err);
const char *conf_get(const struct conf_row *rows,
                     const char *name); /* the value or default; aborts if no row */
int64_t conf_int(const struct conf_row *rows,
                 const char *name); /* checked by conf_read() where the row has bounds */
void conf_release(struct conf_row *rows);
void conf_print_help(const struct conf_row *rows, FILE *to);
void conf_print_markdown(const struct conf_row *rows, FILE *to);
/* A file for --config in which every option stands as a comment, with its default. */
void conf_print_sample(const struct conf_row *rows, const char *program, FILE *to);

#endif
