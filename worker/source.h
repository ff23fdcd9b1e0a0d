/* Where a source lives, and where its copy is kept. */
#ifndef FAIRLEAD_WORKER_SOURCE_H
#define FAIRLEAD_WORKER_SOURCE_H

#include "io/git.h"
#include "model/names.h"
#include "worker/worker.h"

struct source_place {
    char url[512]; /* https, or a path below the one configured prefix */
    char dir[512]; /* our bare copy */
    struct git_remote remote;
};
/* *ret must stay where it is: its remote names its url. */
MUST_CHECK int source_locate(const struct worker *worker, const Fairlead__V1__Source *source,
                             struct source_place *ret, struct err *err);

#define SOURCE_PATH_SIZE 256
/* Where in the repository its Dockerfile is. */
void source_dockerfile(const Fairlead__V1__Source *source, char ret[SOURCE_PATH_SIZE]);

#endif
