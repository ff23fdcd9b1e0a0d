/* What the files of the build order share: how the Engine is asked, and what a build is given. */
#ifndef FAIRLEAD_WORKER_BUILD_OWN_H
#define FAIRLEAD_WORKER_BUILD_OWN_H

#include "worker/worker.h"

#define BUILD_ARGS_MAX 64 /* what a release may have */

/* `docker` with these words (NULL-ended). A status other than 0 is of class `cls`. */
MUST_CHECK int build_engine(struct worker *worker, const char *const *words, int64_t limit_s,
                            enum err_class cls, struct str *out, struct str *log, struct err *err);
/* The digest that the registry knows the tag by; ret: "sha256:" and 64 hex digits. */
MUST_CHECK int build_digest(struct worker *worker, const char *tag, char ret[80], struct err *err);
/* By which an Engine knows the image of that digest: that of its configuration, as the registry has it. In
 * the arena. */
MUST_CHECK int build_image_id(struct worker *worker, const char *repository, const char *digest,
                              struct arena *arena, const char **ret, struct err *err);
/* By what a failed build printed: did the machine fail, and not the source? */
bool build_may_pass(const char *log);

/* Adds the words that give a build its arguments: what this builder is configured to give, then what the
 * release says. Class park: too many. */
MUST_CHECK int build_add_args(const struct worker *worker, const Fairlead__V1__Build *build, const char *base,
                              struct vec *words, struct arena *arena, struct err *err);
/* The image to build from: the one that was asked for, or what is made of it here when builds are given an
 * authority of this builder's network (option build-ca). */
MUST_CHECK int build_base(struct worker *worker, const char *wanted, struct arena *arena, const char **ret,
                          struct str *log, struct err *err);

#endif
