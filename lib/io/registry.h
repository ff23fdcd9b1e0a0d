/* A registry of images, read by digest (OCI distribution specification 1.1): what comes is what the digest
 * names, or an error. A blob that was cut short goes on where it ended, also after a restart. */
#ifndef FAIRLEAD_IO_REGISTRY_H
#define FAIRLEAD_IO_REGISTRY_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct registry {
    const char *host;       /* HOST:PORT */
    const char *ca, *cert;  /* files, as in io/http.h; both NULL: plain HTTP, for one on this machine */
    bool outward;           /* by the program's proxy, where it has one */
    int64_t until;          /* ends what takes longer, by the monotonic clock; 0: no time does */
    const atomic_int *stop; /* ends what takes long when it becomes non-zero; or NULL */
};

/* The manifest that `digest` ("sha256:...") of `repository` names. `types`: what is accepted. The caller
 * frees *ret. Class park: the registry does not have it; retry. */
MUST_CHECK int registry_manifest(const struct registry *registry, const char *repository, const char *digest,
                                 const char *types, size_t max, char **ret, size_t *ret_n, struct err *err);

/* A blob of that many bytes, as the file `path`, synced; there is none under that name before it is whole.
 * What has come of it so far is kept beside it (`path`.part). 30 s without a byte end it. Class park: the
 * registry does not have it; retry: also where something else came, which is thrown away.
 */
MUST_CHECK int registry_blob(const struct registry *registry, const char *repository, const char *digest,
                             int64_t size, const char *path, struct err *err);

#endif
