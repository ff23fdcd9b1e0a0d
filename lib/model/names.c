#include "model/names.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_name(const char *s, size_t n, size_t max) {
    if (n < 1 || n > max || !is_lower(s[0]) || s[n - 1] == '-')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_lower(s[i]) && !is_digit(s[i]) && s[i] != '-')
            return false;
    return true;
}

bool name_is_valid(const char *s) {
    return is_name(s, strlen(s), 20);
}

bool name_is_label(const char *s) {
    return is_name(s, strlen(s), 63);
}

bool name_is_domain(const char *s) {
    int labels = 0;
    if (strlen(s) > 190)
        return false;
    for (;;) {
        size_t n = strcspn(s, ".");
        if (!is_name(s, n, 63))
            return false;
        labels++;
        if (!s[n])
            return labels >= 2;
        s += n + 1;
    }
}

static bool is_word(char c) {
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
}

bool name_is_ref(const char *s) {
    size_t n = strlen(s);
    if (n < 1 || n > 200 || !is_word(s[0]) || s[0] == '-' || s[0] == '.' || strstr(s, "..") ||
        strstr(s, "//"))
        return false;
    for (const char *p = s; *p; p++)
        if (!is_word(*p) && *p != '/')
            return false;
    return s[n - 1] != '/' && s[n - 1] != '.';
}

bool name_is_path(const char *s) {
    if (!*s || strlen(s) > 200)
        return false;
    for (;;) {
        size_t n = strcspn(s, "/");
        if (n == 0 || s[0] == '-' || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
            return false;
        for (size_t i = 0; i < n; i++)
            if (!is_word(s[i]))
                return false;
        if (!s[n])
            return true;
        s += n + 1;
    }
}

bool name_is_folder(const char *s) {
    return str_eq(s, ".") || name_is_path(s);
}

bool name_is_https_or_path(const char *s) {
    if (!str_starts(s, "https://"))
        return name_is_path(s);
    if (strlen(s) > 400)
        return false;
    for (const char *p = s + 8; *p; p++)
        if (!is_word(*p) && !strchr("/:~%+", *p))
            return false;
    return is_word(s[8]) && s[8] != '-';
}

bool name_is_key(const char *s) {
    size_t n = strlen(s);
    if (n < 1 || n > 32 || !is_lower(s[0]))
        return false;
    for (; *s; s++)
        if (!is_lower(*s) && !is_digit(*s) && *s != '_')
            return false;
    return true;
}

bool name_is_duration(const char *s, int64_t *ret_ms) {
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    int64_t sum = 0;
    size_t next = 0; /* units that may still come */
    for (bool any = false; s && (*s || !any); any = true) {
        size_t digits = strspn(s, "0123456789"), unit_n = strspn(s + digits, "hms"), u = next;
        if (!digits || digits > 7)
            return false;
        while (u < sizeof units / sizeof *units &&
               (strlen(units[u].name) != unit_n || strncmp(units[u].name, s + digits, unit_n) != 0))
            u++;
        if (u == sizeof units / sizeof *units)
            return false;
        sum += strtoll(s, NULL, 10) * units[u].ms;
        next = u + 1;
        s += digits + unit_n;
    }
    if (!s || sum > 3600000)
        return false;
    if (ret_ms)
        *ret_ms = sum;
    return true;
}

bool name_is_ipv4(const char *s) {
    struct in_addr a;
    return inet_pton(AF_INET, s, &a) == 1;
}

bool name_is_digest(const char *s) {
    return s && strlen(s) == DIGEST_SIZE - 1 && str_starts(s, "sha256:") &&
           strspn(s + 7, "0123456789abcdef") == DIGEST_SIZE - 8;
}

bool name_is_image(const char *s) {
    const char *at = strstr(s, "@sha256:");
    uint8_t digest[32];
    if (!at || at == s || at - s > 120 || !hex_decode(digest, sizeof digest, at + 8))
        return false;
    for (const char *p = s; p < at; p++)
        if (!is_lower(*p) && !is_digit(*p) && !strchr("/._-", *p))
            return false;
    return is_lower(s[0]);
}

bool name_is_loopback(const char *brokers) {
    for (const char *p = brokers;;) {
        size_t n = strcspn(p, ",");
        size_t host = strncmp(p, "127.", 4) == 0        ? strspn(p, "0123456789.")
                      : strncmp(p, "localhost", 9) == 0 ? 9
                      : strncmp(p, "[::1]", 5) == 0     ? 5
                                                        : 0;
        if (!host || p[host] != ':' || n == host + 1 || strspn(p + host + 1, "0123456789") != n - host - 1)
            return false;
        if (!p[n])
            return true;
        p += n + 1;
    }
}
