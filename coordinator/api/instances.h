/* What the handlers of one instance share. */
#ifndef FAIRLEAD_COORDINATOR_API_INSTANCES_H
#define FAIRLEAD_COORDINATOR_API_INSTANCES_H

#include "coordinator/api/api.h"

/* The instance that the path names. False: refused. */
bool instance_parse_id(struct api_call *call, struct uuid *ret);
/* Is there such an instance for who asks? False: refused. At the desk. */
bool instance_is_there(struct api_call *call, struct pg *pg);

#endif
