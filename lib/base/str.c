#include "base/str.h"

#include "base/mem.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Half of the room at least is free then, so that what is kept is not moved for each line. */
static void drop_oldest(struct str *str, size_t n) {
    size_t keep = str->max - n < str->max / 2 ? str->max - n : str->max / 2;
    size_t from = str->n > keep ? str->n - keep : 0;
    const char *end = from ? memchr(str->s + from - 1, '\n', str->n - from + 1) : NULL;
    if (end)
        from = (size_t)(end - str->s) + 1;
    memmove(str->s, str->s + from, str->n - from);
    str->n -= from;
    str->cut = true;
}

void str_add(struct str *str, const void *p, size_t n) {
    if (str->tail && n > str->max) {
        p = (const char *)p + (n - str->max);
        n = str->max;
    }
    if (str->tail && n > str->max - str->n)
        drop_oldest(str, n);
    if ((str->cut && !str->tail) || n > str->max - str->n) {
        str->cut = true;
        return;
    }
    if (str->n + n + 1 > str->cap) {
        size_t cap = str->cap ? str->cap : 64;
        while (cap < str->n + n + 1)
            cap *= 2;
        str->s = mem_grow(str->s, cap, 1);
        str->cap = cap;
    }
    if (n)
        memcpy(str->s + str->n, p, n);
    str->n += n;
    str->s[str->n] = '\0';
}

void str_adds(struct str *str, const char *s) {
    str_add(str, s, strlen(s));
}

void str_addf(struct str *str, const char *fmt, ...) {
    char small[512];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof small) {
        str_add(str, small, (size_t)n);
    } else if (n >= 0) {
        char *large = mem_alloc((size_t)n + 1);
        (void)vsnprintf(large, (size_t)n + 1, fmt, again);
        str_add(str, large, (size_t)n);
        free(large);
    }
    va_end(again);
}

bool str_is_cut(const struct str *str) {
    return str->cut;
}

const char *str_text(const struct str *str) {
    return str->s ? str->s : "";
}

void str_release(struct str *str) {
    free(str->s);
    *str = (struct str){.max = str->max, .tail = str->tail};
}

/* Behind the control sequence that begins at `p`, an escape. */
static const char *behind_sequence(const char *p) {
    char kind = *++p;
    if (kind == '[') { /* parameters, then one final byte */
        do
            p++;
        while (*p && (*p < '@' || *p > '~'));
        return *p ? p + 1 : p;
    }
    if (kind == ']') { /* a text, up to BEL or another escape */
        p += strcspn(p, "\a\033");
        return *p == '\a' ? p + 1 : p;
    }
    return kind ? p + 1 : p;
}

size_t str_make_plain(char *s) {
    char *out = s;
    for (const char *p = s; *p;) {
        if (*p == '\033') {
            p = behind_sequence(p);
            continue;
        }
        char c = *p++;
        if (c == '\r' && *p != '\n')
            c = '\n';
        if ((unsigned char)c >= ' ' ? c != 0x7f : c == '\n' || c == '\t')
            *out++ = c;
    }
    *out = '\0';
    return (size_t)(out - s);
}

bool str_eq(const char *a, const char *b) {
    if (!a || !b)
        return a == b;
    return strcmp(a, b) == 0;
}

bool str_starts(const char *s, const char *prefix) {
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

void hex_encode(char *out, const void *p, size_t n) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[b[i] >> 4];
        out[2 * i + 1] = digits[b[i] & 15];
    }
    out[2 * n] = '\0';
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode(void *out, size_t n, const char *hex) {
    uint8_t *b = out;
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(hex[2 * i]);
        if (high < 0)
            return false;
        int low = hex_digit(hex[2 * i + 1]);
        if (low < 0)
            return false;
        b[i] = (uint8_t)(high << 4 | low);
    }
    return hex[2 * n] == '\0';
}

bool str_to_int(const char *s, int64_t low, int64_t high, int64_t *ret) {
    if (!s || !(*s == '-' || (*s >= '0' && *s <= '9')))
        return false;
    char *end;
    errno = 0;
    long long v = strtoll(s, &end, 10);
    if (errno || *end || v < low || v > high)
        return false;
    *ret = v;
    return true;
}

size_t str_characters(const char *s) {
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

size_t str_cut_at(const char *s, size_t max) {
    size_t n = strnlen(s, max + 1);
    if (n <= max)
        return n;
    /* Back over what continues a character (RFC 3629: 10xxxxxx), at most the three bytes that there can be.
     */
    for (n = max; n > 0 && max - n < 4 && ((unsigned char)s[n] & 0xc0) == 0x80; n--)
        ;
    return ((unsigned char)s[n] & 0xc0) == 0x80 ? max : n;
}

bool str_is_text(const char *s) {
    for (const unsigned char *p = (const unsigned char *)s; *p; p++)
        if (*p < 0x20 || *p == 0x7f)
            return false;
    json_t *probe =
        json_string(s); /* jansson checks: no overlong form, no surrogate, nothing beyond U+10FFFF */
    bool valid = probe != NULL;
    json_decref(probe);
    return valid;
}
