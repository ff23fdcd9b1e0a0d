/* A growing string with a ceiling, and the few text helpers that everything needs.
 *
 * `struct str` starts as STR_INIT(max): past `max` bytes it stops growing and remembers that it was cut, so
 * that one check at the end (str_is_cut) suffices for everything that a stranger can size. As STR_TAIL(max)
 * it keeps the end instead, whole lines of it: what a program said last. */
#ifndef FAIRLEAD_BASE_STR_H
#define FAIRLEAD_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    char *s; /* NUL-terminated, or NULL while empty */
    size_t n, cap, max;
    bool cut, tail;
};
#define STR_INIT(max_bytes) ((struct str){.max = (max_bytes)})
#define STR_TAIL(max_bytes) ((struct str){.max = (max_bytes), .tail = true})

void str_add(struct str *str, const void *p, size_t n);
void str_adds(struct str *str, const char *s);
void str_addf(struct str *str, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool str_is_cut(const struct str *str);
const char *str_text(const struct str *str); /* never NULL */
void str_release(struct str *str);
#define cleanup_str __attribute__((cleanup(str_release)))

bool str_eq(const char *a, const char *b); /* NULL equals only NULL */
bool str_starts(const char *s, const char *prefix);
/* Valid UTF-8 without control characters: what may become a parameter of a statement, or a line of a log. */
bool str_is_text(const char *s);

/* Characters of a text in UTF-8; of other bytes, those that begin none. */
size_t str_characters(const char *s);
/* How many bytes of a text are at most `max` without ending inside a character of UTF-8. */
size_t str_cut_at(const char *s, size_t max);
#define STR_CUT_MARK " [...]" /* stands where a text was cut */

/* What only a terminal understands goes out of a text that a program printed, in place: control sequences
 * (ECMA-48) and control characters. Tabs and lines stay; a carriage return begins a line. Returns what is
 * left. */
size_t str_make_plain(char *s);

/* Lower-case hex. `out` has room for 2 * n + 1. */
void hex_encode(char *out, const void *p, size_t n);
/* Exactly n bytes of hex, either case; false (out undefined) for anything else. */
bool hex_decode(void *out, size_t n, const char *hex);

/* A whole decimal int64 within [low, high] and nothing else; false leaves *ret alone. */
bool str_to_int(const char *s, int64_t low, int64_t high, int64_t *ret);

#endif
