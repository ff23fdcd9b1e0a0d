#include "worker/build_reason.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 300
#define ENDED "returned a non-zero code: "

/* The last line before `end` that a command printed: what the builder says of itself is passed over. Its
 * length in *ret_n, 0: there is none. */
static const char *last_words(const char *printed, const char *end, size_t *ret_n) {
    static const char *const own[] = {" --->", "Removing intermediate container", "Step ",
                                      "Sending build context"};
    while (end > printed) {
        const char *line = end - 1;
        while (line > printed && line[-1] != '\n')
            line--;
        *ret_n = strcspn(line, "\r\n");
        bool counts = *ret_n && line < end;
        for (size_t i = 0; i < sizeof own / sizeof *own; i++)
            counts = counts && !str_starts(line, own[i]);
        if (counts)
            return line;
        end = line;
    }
    *ret_n = 0;
    return end;
}

static const char *find_last(const char *text, const char *what) {
    const char *found = NULL;
    for (const char *p = text; (p = strstr(p, what)); p++)
        found = p;
    return found;
}

/* "The command '...' returned a non-zero code: 2" says the least interesting part. */
static bool tell_command(const char *printed, struct err *err) {
    const char *ended = find_last(printed, ENDED);
    if (!ended)
        return false;
    const char *line = ended;
    while (line > printed && line[-1] != '\n')
        line--;
    const char *command = strchr(line, '\'');
    size_t command_n = command && command < ended ? (size_t)(ended - command) : 0, words_n;
    const char *words = last_words(printed, line, &words_n);
    while (command_n && command[command_n - 1] == ' ')
        command_n--;
    (void)err_set(err, err->cls, "The command %.*s of its Dockerfile ended with %ld%s%.*s%s",
                  (int)str_cut_at(command_n ? command : "", command_n < 200 ? command_n : 200),
                  command_n ? command : "", strtol(ended + strlen(ENDED), NULL, 10), words_n ? ": " : ".",
                  (int)str_cut_at(words, words_n < WORDS_MAX ? words_n : WORDS_MAX), words,
                  words_n > WORDS_MAX ? STR_CUT_MARK : "");
    return true;
}

void build_reason(const char *printed, struct err *err) {
    size_t n;
    if (tell_command(printed, err))
        return;
    const char *words = last_words(printed, printed + strlen(printed), &n);
    if (!n)
        return;
    bool newer = strstr(printed, "unknown instruction") || strstr(printed, "requires BuildKit");
    (void)err_set(err, err->cls, "%.*s%s%s", (int)str_cut_at(words, n < WORDS_MAX ? n : WORDS_MAX), words,
                  n > WORDS_MAX ? STR_CUT_MARK : "",
                  newer ? " (images are built without BuildKit: no RUN --mount, no heredocs)" : "");
}
