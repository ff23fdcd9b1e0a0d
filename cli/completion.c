/* Completion for bash, printed from the table of commands. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

int completion_print(struct cli *cli, const struct command *command) {
    (void)cli, (void)command;
    printf("_fairlead() {\n  local word=${COMP_WORDS[COMP_CWORD]}\n  case $COMP_CWORD in\n  1) mapfile -t "
           "COMPREPLY < <(compgen -W '");
    for (int i = 0; i < commands_n; i++)
        if (i == 0 || !str_eq(commands[i].resource, commands[i - 1].resource))
            printf("%s%s", i ? " " : "", commands[i].resource);
    printf("' -- \"$word\") ;;\n  *) case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n");
    for (int i = 0; i < commands_n; i++) {
        printf("    '%s %s') mapfile -t COMPREPLY < <(compgen -W '--server --token-file -o -v --help",
               commands[i].resource, commands[i].verb);
        for (const char *const *o = commands[i].options; o && *o; o++) {
            size_t n = strcspn(*o, "=! ");
            printf(" %s%.*s", n == 1 ? "-" : "--", (int)n, *o);
        }
        printf("' -- \"$word\") ;;\n");
    }
    printf("    *) case ${COMP_WORDS[1]} in\n");
    for (int i = 0; i < commands_n;) {
        const char *resource = commands[i].resource;
        printf("      %s) mapfile -t COMPREPLY < <(compgen -W '", resource);
        for (; i < commands_n && str_eq(commands[i].resource, resource); i++)
            printf("%s ", commands[i].verb);
        printf("' -- \"$word\") ;;\n");
    }
    printf("      esac ;;\n    esac ;;\n  esac\n}\ncomplete -F _fairlead fairlead\n");
    return EXIT_OK;
}
