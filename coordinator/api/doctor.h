/* Checks that `doctor` makes and `status` shows when they are bad. */
#ifndef FAIRLEAD_COORDINATOR_API_DOCTOR_H
#define FAIRLEAD_COORDINATOR_API_DOCTOR_H

#include "coordinator/api/api.h"

/* Does it still write, read, decide and send? Appends {"check", "ok", "what", "next"} for each answer. */
void doctor_check_vitals(json_t *checks, struct pg *pg, struct arena *arena);

#endif
