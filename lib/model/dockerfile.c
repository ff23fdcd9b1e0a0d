#include "model/dockerfile.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* Behind the word, if it is that one: `ONBUILD RUN` is a RUN. */
static const char *behind(const char *p, const char *word) {
    size_t n = strlen(word);
    return strncasecmp(p, word, n) == 0 && is_blank(p[n]) ? p + n : NULL;
}

static const char *arguments(const char *p) {
    static const char *const with[] = {"RUN", "COPY", "ADD"};
    const char *rest = NULL;
    while (is_blank(*p))
        p++;
    if ((rest = behind(p, "ONBUILD"))) {
        p = rest;
        while (is_blank(*p))
            p++;
    }
    for (size_t i = 0; i < sizeof with / sizeof *with; i++)
        if ((rest = behind(p, with[i])))
            return rest;
    return NULL;
}

static bool begins_heredoc(const char *p) {
    while (isdigit((unsigned char)*p))
        p++;
    if (p[0] != '<' || p[1] != '<')
        return false;
    p += 2;
    p += *p == '-';
    p += *p == '"' || *p == '\'';
    return isalpha((unsigned char)*p) || *p == '_';
}

/* One instruction, with the lines that it goes on in. *ret_lines: how many those are. */
static bool has_heredoc(const char *p, const char **ret_end, long *ret_lines) {
    bool found = false, fresh = true;
    char quote = 0;
    *ret_lines = 1;
    for (; *p; p++) {
        if (*p == '\\' && p[1 + strspn(p + 1, " \t\r")] == '\n') { /* it goes on */
            p += 1 + strspn(p + 1, " \t\r");
            ++*ret_lines;
            fresh = true;
            continue;
        }
        if (*p == '\n')
            break;
        found = found || (fresh && !quote && begins_heredoc(p));
        fresh = is_blank(*p);
        if (*p == '\\' && p[1] && quote != '\'')
            p++;
        else if (!quote && (*p == '"' || *p == '\''))
            quote = *p;
        else if (*p == quote)
            quote = 0;
    }
    *ret_end = *p ? p + 1 : p;
    return found;
}

long dockerfile_heredoc(const char *text) {
    long line = 1, lines;
    while (*text) {
        const char *rest = text[strspn(text, " \t\r")] == '#' ? NULL : arguments(text);
        bool found = has_heredoc(rest ? rest : text, &text, &lines);
        if (rest && found)
            return line;
        line += lines;
    }
    return 0;
}
