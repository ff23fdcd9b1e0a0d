/* Looks at the rights of a principal of Kafka, and changes them behind the coordinator's back, as a hand that
 * may. usage: rights list PRINCIPAL | give|take PRINCIPAL TOPIC   (to read) */
#include "base/str.h"
#include "io/kadmin.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const acts[] = {
    [KRIGHT_READ] = "read", [KRIGHT_WRITE] = "write", [KRIGHT_DESCRIBE] = "describe", [KRIGHT_ALL] = "all"};

static int list(struct kadmin *kadmin, const char *principal, struct arena *arena, struct err *err) {
    struct vec rights = {0};
    if (kadmin_rights(kadmin, principal, arena, &rights, err) < 0)
        return -1;
    for (size_t i = 0; i < rights.n; i++) {
        const struct kright *right = vec_at(&rights, struct kright, i);
        printf("%s %s %s %s%s\n", right->deny ? "deny" : "allow", acts[right->act],
               right->of == KRIGHT_TOPIC ? "topic" : "group", right->name, right->prefixed ? "*" : "");
    }
    return 0;
}

int main(int argc, char **argv) {
    struct err err = {0};
    struct arena arena = {0};
    const struct broker broker = {.servers = getenv("FAIRLEAD_KAFKA"),
                                  .ca = getenv("FAIRLEAD_KAFKA_CA"),
                                  .cert = getenv("FAIRLEAD_KAFKA_TOOLS")};
    struct kadmin *kadmin = argc > 2 ? kadmin_open(&broker, "rights", &err) : NULL;
    int rc = -1;
    if (kadmin && argc == 3 && str_eq(argv[1], "list"))
        rc = list(kadmin, argv[2], &arena, &err);
    const struct kright right = {.principal = argv[2], .name = argc == 4 ? argv[3] : "", .act = KRIGHT_READ};
    if (kadmin && argc == 4 && str_eq(argv[1], "give"))
        rc = kadmin_give(kadmin, &right, 1, &err);
    if (kadmin && argc == 4 && str_eq(argv[1], "take"))
        rc = kadmin_take(kadmin, &right, 1, &err);
    kadmin_close(kadmin);
    arena_release(&arena);
    if (rc < 0)
        (void)fprintf(stderr, "rights: %s\n",
                      err.text[0] ? err.text : "usage: rights list PRINCIPAL | give|take PRINCIPAL TOPIC");
    return rc < 0;
}
