#include "base/log.h"

#include "base/clock.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *program_name = "fairlead";
static enum log_level lowest = LOG_INFO;

void log_init(const char *program, const char *level) {
    program_name = program;
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
        if (str_eq(level, level_names[i]))
            lowest = (enum log_level)i;
}

static void add_quoted(struct str *line, const char *s) {
    str_adds(line, "\"");
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            str_addf(line, "\\%c", c);
        else if (c == '\n')
            str_adds(line, "\\n");
        else if (c < 0x20 || c == 0x7f)
            str_addf(line, "\\x%02x", c);
        else
            str_add(line, s, 1);
    }
    str_adds(line, "\"");
}

void log_line(enum log_level level, const char *msg, const struct log_field *fields) {
    if (level < lowest)
        return;
    char stamp[28];
    cleanup_str struct str line = STR_INIT(8192);
    str_addf(&line, "%s %-5s %s ", clock_text(clock_wall_us(), stamp), level_names[level], program_name);
    add_quoted(&line, msg);
    for (; fields->key; fields++) {
        str_addf(&line, " %s=", fields->key);
        if (fields->text)
            add_quoted(&line, fields->text);
        else
            str_addf(&line, "%lld", (long long)fields->number);
    }
    if (str_is_cut(&line))
        return;
    str_adds(&line, "\n");
    /* One write: lines of several processes on one terminal do not interleave. */
    (void)!write(STDERR_FILENO, str_text(&line), line.n);
}
