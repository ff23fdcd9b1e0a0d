/* Logging for programs: one line per event on stderr, `time level program msg key=value ...`, or the same as
 * one JSON object per line. Values are quoted and control characters escaped, so that nothing a stranger sent
 * can forge a line; a long one is cut, and marked. Warnings and errors that repeat are written with growing
 * pauses (log_repeat.h), `left_out` says how many were not. Libraries do not log. Usage: log_info("instance
 * running", LOG_S("instance", id), LOG_I("generation", g)); */
#ifndef FAIRLEAD_BASE_LOG_H
#define FAIRLEAD_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *key;
    const char *text; /* NULL: the number counts */
    int64_t number;
};
#define LOG_S(k, v) ((struct log_field){.key = (k), .text = (v)})
#define LOG_I(k, v) ((struct log_field){.key = (k), .number = (int64_t)(v)})

/* Program name, lowest level shown ("debug", "info", "warn", "error"; anything else is info), and "text" or
 * "json". */
void log_init(const char *program, const char *level, const char *format);

/* Parts of a program that can tell each of their turns: what they took, what came of it, how long it took. */
enum log_part {
#define LOG_PART(id, name) LOG_##id,
#include "base/log_parts.def"
    LOG_PART_COUNT
};
extern const char log_parts[]; /* their names, a space before each: `+ 1` is a list of base/conf.h */
/* Which parts tell: names with commas between; level debug lets all of them. */
void log_init_debug(const char *parts);
bool log_tells(enum log_part part);
void log_line(enum log_level level, const char *msg, const struct log_field *fields);

#define log_at(level, msg, ...)                                                                              \
    log_line((level), (msg), (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.key = 0}})
#define log_debug(part, ...)                                                                                 \
    do {                                                                                                     \
        if (log_tells(part))                                                                                 \
            log_at(LOG_DEBUG, __VA_ARGS__);                                                                  \
    } while (0)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)

#endif
