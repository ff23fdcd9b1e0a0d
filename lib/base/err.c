#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *err_class_name(enum err_class cls) {
    switch (cls) {
    case ERR_NONE:
        return "none";
    case ERR_RETRY:
        return "retry";
    case ERR_PARK:
        return "park";
    case ERR_DEAD:
        return "dead";
    case ERR_BUG:
        return "bug";
    }
    return "unknown";
}

int err_set(struct err *err, enum err_class cls, const char *fmt, ...) {
    if (!err)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    err->cls = cls;
    err->code[0] = '\0';
    return -1;
}

int err_errno(struct err *err, enum err_class cls, const char *fmt, ...) {
    int saved = errno;
    if (!err)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof err->text) {
        char reason[128];
        (void)snprintf(err->text + n, sizeof err->text - (size_t)n, ": %s",
                       strerror_r(saved, reason, sizeof reason));
    }
    err->cls = cls;
    err->code[0] = '\0';
    return -1;
}

int err_wrap(struct err *err, const char *fmt, ...) {
    if (!err)
        return -1;
    char old[sizeof err->text];
    memcpy(old, err->text, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof err->text)
        (void)snprintf(err->text + n, sizeof err->text - (size_t)n, ": %.*s", (int)sizeof old, old);
    return -1;
}
