/* For the files of `instance`: instance.c asks, instance_events.c shows what comes of it. */
#ifndef FAIRLEAD_CLI_INSTANCE_OWN_H
#define FAIRLEAD_CLI_INSTANCE_OWN_H

#include "cli/cli.h"

/* -o json as it is, else what a person asks for first. */
void instance_print(struct cli *cli, const json_t *instance);

#define ASKED_FOR "asked for" /* of a new one: its address is told, too */
/* Says what was accepted, and with --wait shows what happens behind the event `after`, to the end of its
 * walk. Returns the exit code. */
int instance_conclude(struct cli *cli, const json_t *answer, int64_t after, const char *what);
/* Until when it runs; or that its end moves later, where that has not happened behind the event `after`. */
int instance_show_extended(struct cli *cli, const char *id, int64_t after);

#endif
