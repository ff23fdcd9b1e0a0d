/* Why a build failed, in one sentence, from what the Engine's classic builder printed. */
#ifndef FAIRLEAD_WORKER_BUILD_REASON_H
#define FAIRLEAD_WORKER_BUILD_REASON_H

#include "base/err.h"

/* `printed`: its whole output. Sets the text of *err and keeps its class; where nothing can be told from it,
 * *err stays as it is. */
void build_reason(const char *printed, struct err *err);

#endif
