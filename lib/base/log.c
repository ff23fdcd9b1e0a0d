#include "base/log.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log_repeat.h"
#include "base/mem.h"
#include "base/str.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *program_name = "fairlead";
static atomic_int lowest = LOG_INFO; /* enum log_level; these may change while threads write */
static atomic_bool as_json;
static atomic_uint telling; /* bits of enum log_part */

static const char *const part_names[] = {
#define LOG_PART(id, name) name,
#include "base/log_parts.def"
};

const char log_parts[] =
#define LOG_PART(id, name) " " name
#include "base/log_parts.def"
    ;

void log_init_debug(const char *parts) {
    unsigned bits = 0;
    for (int i = 0; i < LOG_PART_COUNT; i++) {
        size_t n = strlen(part_names[i]);
        for (const char *at = parts; *at; at += strcspn(at, ","), at += *at == ',')
            if (strcspn(at, ",") == n && strncmp(at, part_names[i], n) == 0)
                bits |= 1u << i;
    }
    telling = bits;
}

bool log_tells(enum log_part part) {
    return lowest == LOG_DEBUG || (telling & (1u << part));
}

void log_init(const char *program, const char *level, const char *format) {
    program_name = program;
    as_json = str_eq(format, "json");
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
        if (str_eq(level, level_names[i]))
            lowest = i;
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

static uint64_t short_hash(const char *msg, const struct log_field *fields) {
    const char *texts[16] = {msg};
    uint64_t out;
    size_t n = 1;
    for (; fields && fields->key && n < 15; fields++)
        if (fields->text)
            texts[n++] = fields->text;
    struct hash hash = hash_texts(texts);
    memcpy(&out, hash.b, sizeof out);
    return out;
}

static bool may_write(const char *msg, const struct log_field *fields, int64_t *ret_left_out) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static struct log_repeat repeat;
    uint64_t message = short_hash(msg, NULL), line = short_hash(msg, fields);
    pthread_mutex_lock(&mutex);
    bool may = log_repeat_may_write(&repeat, message, line, clock_mono_us(), ret_left_out);
    pthread_mutex_unlock(&mutex);
    return may;
}

#define FIELDS_MAX 16
#define FIELD_BYTES_MAX 2000
#define LINE_BYTES_MAX ((FIELDS_MAX + 1) * FIELD_BYTES_MAX * 6) /* escaped as \u00NN, all of it */

/* A long value is cut, at a character, and marked: a line never vanishes for what it quotes. */
static size_t cut_fields(struct log_field out[FIELDS_MAX], const struct log_field *fields,
                         struct arena *arena) {
    size_t n = 0;
    for (; fields[n].key && n < FIELDS_MAX; n++) {
        out[n] = fields[n];
        if (fields[n].text && strlen(fields[n].text) > FIELD_BYTES_MAX)
            out[n].text = arena_printf(arena, "%.*s" STR_CUT_MARK,
                                       (int)str_cut_at(fields[n].text, FIELD_BYTES_MAX), fields[n].text);
    }
    return n;
}

void log_line(enum log_level level, const char *msg, const struct log_field *fields) {
    int64_t left_out = 0;
    bool hidden =
        (int)level < lowest && !(level == LOG_DEBUG && telling); /* log_debug() has asked which part */
    if (hidden || (level >= LOG_WARN && !may_write(msg, fields, &left_out)))
        return;
    char stamp[28];
    struct log_field shown[FIELDS_MAX + 2];
    struct arena arena = {0};
    cleanup_str struct str line = STR_INIT(LINE_BYTES_MAX);
    size_t n = cut_fields(shown, fields, &arena);
    if (left_out)
        shown[n++] = LOG_I("left_out", left_out);
    shown[n].key = NULL;
    (void)clock_text(clock_wall_us(), stamp);
    if (as_json)
        add_json(&line, level, stamp, msg, shown);
    else
        add_text(&line, level, stamp, msg, shown);
    str_adds(&line, "\n");
    /* One write: lines of several processes on one terminal do not interleave. */
    (void)!write(STDERR_FILENO, str_text(&line), line.n);
    arena_release(&arena);
}
