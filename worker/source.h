/* Where a source lives, and where its copy is kept. */
#ifndef FAIRLEAD_WORKER_SOURCE_H
#define FAIRLEAD_WORKER_SOURCE_H

#include "model/names.h"
#include "worker/worker.h"

struct source_place {
    char url[512]; /* https, or a path below the one configured prefix */
    char dir[512]; /* our bare copy */
};
MUST_CHECK int source_locate(const struct worker *worker, const Fairlead__V1__Source *source,
                             struct source_place *ret, struct err *err);

#endif
