/* clock: what timers go by; after a jump somebody must say that it is right. */
#include "cli/cli.h"

#include <stdio.h>

static int print(const struct cli *cli, json_t *clock) {
    if (cli->json) {
        (void)json_dumpf(clock, stdout, JSON_INDENT(2));
        printf("\n");
    } else if (json_is_true(json_object_get(clock, "held"))) {
        printf("held: the clock jumped by %lld s, to %s. %lld timers that stop or remove are waiting.\n"
               "next: if that is the right time, fairlead clock accept; if not, set the clock, then accept\n",
               (long long)json_int(clock, "jump_s", 0), json_str(clock, "now"),
               (long long)json_int(clock, "waiting", 0));
    } else {
        printf("good: %s, nothing is held\n", json_str(clock, "now"));
    }
    json_decref(clock);
    return EXIT_OK;
}

int clock_get(struct cli *cli, const struct command *command) {
    json_t *clock = NULL;
    int rc = cli_call(cli, "GET", command->path, NULL, &clock);
    return rc == EXIT_OK ? print(cli, clock) : rc;
}

int clock_accept(struct cli *cli, const struct command *command) {
    json_t *clock = NULL;
    int rc = cli_call(cli, "POST", command->path, NULL, &clock);
    return rc == EXIT_OK ? print(cli, clock) : rc;
}
