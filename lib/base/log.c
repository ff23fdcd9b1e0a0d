#include "base/log.h"

#include "base/clock.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *program_name = "fairlead";
static enum log_level lowest = LOG_INFO;
static bool as_json;

void log_init(const char *program, const char *level, const char *format) {
    program_name = program;
    as_json = str_eq(format, "json");
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
        if (str_eq(level, level_names[i]))
            lowest = (enum log_level)i;
}

/* JSON knows no \\xNN. Bytes that are not UTF-8 pass as they are, in either form. */
static void add_quoted(struct str *line, const char *s) {
    str_adds(line, "\"");
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            str_addf(line, "\\%c", c);
        else if (c == '\n')
            str_adds(line, "\\n");
        else if (c < 0x20 || c == 0x7f)
            str_addf(line, as_json ? "\\u%04x" : "\\x%02x", (unsigned)c);
        else
            str_add(line, s, 1);
    }
    str_adds(line, "\"");
}

static void add_value(struct str *line, const struct log_field *field) {
    if (field->text)
        add_quoted(line, field->text);
    else
        str_addf(line, "%lld", (long long)field->number);
}

static void add_text(struct str *line, enum log_level level, const char *stamp, const char *msg,
                     const struct log_field *fields) {
    str_addf(line, "%s %-5s %s ", stamp, level_names[level], program_name);
    add_quoted(line, msg);
    for (; fields->key; fields++) {
        str_addf(line, " %s=", fields->key);
        add_value(line, fields);
    }
}

static void add_json(struct str *line, enum log_level level, const char *stamp, const char *msg,
                     const struct log_field *fields) {
    str_addf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"msg\":", stamp, level_names[level],
             program_name);
    add_quoted(line, msg);
    for (; fields->key; fields++) {
        str_addf(line, ",\"%s\":", fields->key);
        add_value(line, fields);
    }
    str_adds(line, "}");
}

void log_line(enum log_level level, const char *msg, const struct log_field *fields) {
    if (level < lowest)
        return;
    char stamp[28];
    cleanup_str struct str line = STR_INIT(8192);
    (void)clock_text(clock_wall_us(), stamp);
    if (as_json)
        add_json(&line, level, stamp, msg, fields);
    else
        add_text(&line, level, stamp, msg, fields);
    if (str_is_cut(&line))
        return;
    str_adds(&line, "\n");
    /* One write: lines of several processes on one terminal do not interleave. */
    (void)!write(STDERR_FILENO, str_text(&line), line.n);
}
