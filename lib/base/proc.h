/* Runs another program: an argument vector and never a shell, its own process group, a time limit after which
 * the whole group is killed, and output that is kept up to a ceiling. */
#ifndef FAIRLEAD_BASE_PROC_H
#define FAIRLEAD_BASE_PROC_H

#include "base/err.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

struct proc {
    const char *const *argv; /* NULL-ended; argv[0] is looked up in PATH */
    const char *const
        *env;          /* NULL-ended "NAME=value" added to a small clean environment (PATH, HOME, LANG) */
    const char *dir;   /* working folder, or NULL */
    const void *input; /* standard input, or NULL for an empty one; at most 60 KiB (a pipe's worth) */
    size_t input_n;
    uid_t uid;                /* run as this user and group when not 0 */
    int64_t timeout_us;       /* required */
    const atomic_int *cancel; /* when it becomes non-zero the group is killed; may be NULL */
    struct str *out;          /* standard output, may be NULL (thrown away) */
    struct str *log;          /* standard error, or both when out is NULL; may be NULL */
    int status;               /* set by proc_run: exit code, or 128 + signal */
};

/* 0 when the program ran to its end, whatever its status. Errors: retry (cannot start, time limit,
 * cancelled). */
MUST_CHECK int proc_run(struct proc *proc, struct err *err);

/* The same, and a status other than 0 is a failure of class `cls` with the last line of the output in it. */
MUST_CHECK int proc_check(struct proc *proc, enum err_class cls, struct err *err);

/* Starts a program that outlives this one: a session of its own, no streams. Class park when it cannot be
 * started; how it fares then is not known. */
MUST_CHECK int proc_detach(const char *const *argv, struct err *err);

/* The last `lines` lines of a text, as a pointer into it. */
const char *proc_tail(const char *text, int lines);

#endif
