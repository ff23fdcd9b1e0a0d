/* Completion for bash, printed from the table of commands. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the tenant that is set, where the resource belongs to one. Whoever completes sees no error. */
int completion_names(struct cli *cli, const struct command *command) {
    const char *resource = cli->args[0], *given = getenv("FAIRLEAD_TENANT");
    const char *slash = given ? strchr(given, '/') : NULL;
    long status = 0;
    json_t *page = NULL, *one;
    size_t i;
    const char *path = arena_printf(&cli->arena, "%s%ss", command->path, resource);
    if (str_eq(resource, "instance") && slash)
        path = arena_printf(&cli->arena, "%s?customer=%.*s&tenant=%s", path, (int)(slash - given), given,
                            slash + 1);
    if (cli_try(cli, "GET", path, NULL, &status, &page) == EXIT_OK && status == 200)
        json_array_foreach(json_object_get(page, "items"), i, one) {
            const char *parent = json_str(one, str_eq(resource, "size") ? "plane" : "customer");
            bool nested = str_eq(resource, "tenant") || str_eq(resource, "size");
            if (json_str(one, "name"))
                printf("%s%s%s\n", nested && parent ? parent : "", nested && parent ? "/" : "",
                       json_str(one, "name"));
        }
    json_decref(page);
    return EXIT_OK;
}

int completion_print(struct cli *cli, const struct command *command) {
    (void)cli, (void)command;
    printf("_fairlead() {\n  local word=${COMP_WORDS[COMP_CWORD]}\n"
           "  if [ $COMP_CWORD = 3 ] && [[ $word != -* ]]; then case ${COMP_WORDS[2]} in create | list | "
           "register | "
           "check) ;; *)\n    mapfile -t COMPREPLY < <(compgen -W \"$(fairlead completion names "
           "\"${COMP_WORDS[1]}\" 2>/dev/null)\" -- \"$word\"); return ;; esac; fi\n  case $COMP_CWORD in\n  "
           "1) mapfile -t "
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
