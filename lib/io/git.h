/* The git command line, without a shell, without anybody's configuration, hooks or prompts, over https and
 * plain files only. Sources are kept as bare repositories that are fetched into, one commit deep. */
#ifndef FAIRLEAD_IO_GIT_H
#define FAIRLEAD_IO_GIT_H

#include "base/err.h"
#include "base/str.h"

/* Where a source is fetched from, trusting what the machine trusts. */
struct git_remote {
    const char *url;              /* https, or a path */
    const char *proxy, *no_proxy; /* as curl takes them; "": none */
};

/* Fetches `ref` of a remote into the bare repository `dir` (made if missing); *ret is the commit's 40 hex
 * digits. `ref` is a branch, a tag or a commit. Class retry when it cannot be reached; park when the ref is
 * not there; the text is what is wrong with "it", the repository. */
MUST_CHECK int git_fetch(const char *dir, const struct git_remote *remote, const char *ref, char ret[41],
                         struct str *log, struct err *err);
/* The object id of a folder (".": all of it) or a file of a commit: says all that is in it. Class park when
 * it is not there. */
MUST_CHECK int git_tree(const char *dir, const char *commit, const char *path, char ret[41], struct err *err);
/* Refuses a folder (by its object id) of which a fetch does not bring all: class park, naming the submodule
 * or the pointer of Git LFS. */
MUST_CHECK int git_check_whole(const char *dir, const char *tree, struct err *err);
/* Writes that folder's files below `to`, which must be empty. Links are files of their own; nothing leaves
 * `to`. */
MUST_CHECK int git_export(const char *dir, const char *commit, const char *path, const char *to,
                          struct err *err);
/* Writes one file of it, of at most 1 MB, to `to`. */
MUST_CHECK int git_export_file(const char *dir, const char *commit, const char *path, const char *to,
                               struct err *err);

/* A work tree of ours: made at first use, on a branch of its own. Commits the file's content (or its removal,
 * with content NULL) if it changed anything. */
MUST_CHECK int git_commit_file(const char *dir, const char *branch, const char *file, const char *content,
                               const char *message, struct err *err);
/* Pushes the branch to `remote`, if there is one. Class retry. */
MUST_CHECK int git_push(const char *dir, const char *branch, const char *remote, struct err *err);

#endif
