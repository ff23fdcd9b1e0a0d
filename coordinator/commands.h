/* What is done by hand, beside a coordinator that runs or before one does. */
#ifndef FAIRLEAD_COORDINATOR_COMMANDS_H
#define FAIRLEAD_COORDINATOR_COMMANDS_H

#include "base/conf.h"

#include <stdbool.h>

/* False: there is no such command, or it does not take so many words. `args` are those behind it, NULL-ended;
 * *ret_rc is the program's exit code. */
bool command_run(const struct conf_row *conf, const char *command, char **args, int *ret_rc);

#endif
