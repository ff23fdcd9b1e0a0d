/* What both halves of git.h share: how git is run. */
#ifndef FAIRLEAD_IO_GIT_OWN_H
#define FAIRLEAD_IO_GIT_OWN_H

#include "io/git.h"

/* git -C DIR with what every call needs, then the arguments (NULL-ended). `out`, `log`: as in proc.h, may be
 * NULL. `git_run_remote`: on the way to a remote. */
int git_run(const char *dir, const char *const *args, enum err_class cls, struct str *out, struct str *log,
            int64_t timeout_s, struct err *err);
int git_run_remote(const char *dir, const struct git_remote *remote, const char *const *args,
                   enum err_class cls, struct str *out, struct str *log, int64_t timeout_s, struct err *err);

/* A lock file that is there is what a killed git left, because nobody else uses these repositories. */
void git_forget_lock(const char *dir, const char *name);

#endif
