#include "coordinator/rights.h"

#include "base/str.h"
#include "coordinator/authority.h"
#include "coordinator/topics.h"

#include <stdlib.h>
#include <string.h>

static void add(struct arena *arena, struct vec *ret, const char *principal, enum kright_of of,
                const char *name, enum kright_act act) {
    *vec_add(arena, ret, struct kright) =
        (struct kright){.principal = principal, .of = of, .name = name, .act = act};
}

static void add_reader(struct arena *arena, struct vec *ret, const char *principal, const char *topic) {
    add(arena, ret, principal, KRIGHT_TOPIC, topic, KRIGHT_READ);
    add(arena, ret, principal, KRIGHT_TOPIC, topic, KRIGHT_DESCRIBE);
}

static void forbid_all(struct arena *arena, struct vec *ret, const char *principal) {
    static const enum kright_of kinds[] = {KRIGHT_TOPIC, KRIGHT_GROUP};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        *vec_add(arena, ret, struct kright) = (struct kright){
            .principal = principal, .of = kinds[i], .name = "*", .act = KRIGHT_ALL, .deny = true};
}

void rights_of_node(const struct rights_node *node, struct arena *arena, struct vec *ret) {
    char name[PRINCIPAL_SIZE], topic[TOPIC_NAME_SIZE], group[ORDER_GROUP_SIZE];
    const char *principal = arena_strdup(arena, authority_principal(node->id, node->enrolment, name));
    if (node->revoked) {
        forbid_all(arena, ret, principal);
        return;
    }
    add_reader(arena, ret, principal,
               arena_strdup(arena, topic_of_node(node->id, node->private_plane, topic)));
    add(arena, ret, principal, KRIGHT_TOPIC, TOPIC_REPORTS, KRIGHT_WRITE);
    add(arena, ret, principal, KRIGHT_TOPIC, TOPIC_REPORTS, KRIGHT_DESCRIBE);
    for (const char *at = node->tenants; at && *at; at += strcspn(at, ","), at += *at == ',')
        add_reader(arena, ret, principal, arena_strndup(arena, at, strcspn(at, ",")));
    for (int i = 0; i < order_rows_n && uuid_is_nil(node->private_plane); i++) {
        const struct order_row *row = &order_rows[i];
        if (row->role != ROLE_ANY && !(node->roles & row->role))
            continue;
        add_reader(arena, ret, principal, row->topic);
        add(arena, ret, principal, KRIGHT_GROUP, arena_strdup(arena, order_group(row, group)), KRIGHT_READ);
    }
}

/* The coordinator's parts carry, read reports, and ask how far the group is. Topics and rights are somebody
 * else's. */
void rights_of_programs(struct arena *arena, struct vec *ret) {
    static const enum kright_act acts[] = {KRIGHT_READ, KRIGHT_WRITE, KRIGHT_DESCRIBE};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        *vec_add(arena, ret, struct kright) = (struct kright){.principal = PROGRAM_COORDINATOR,
                                                              .of = KRIGHT_TOPIC,
                                                              .name = "fairlead.",
                                                              .act = acts[i],
                                                              .prefixed = true};
    add(arena, ret, PROGRAM_COORDINATOR, KRIGHT_GROUP, "fairlead-ingest", KRIGHT_READ);
}

static int compare(const void *a, const void *b) {
    return kright_compare(a, b);
}

void rights_compare(struct vec *wanted, struct vec *have, struct arena *arena, struct vec *ret_give,
                    struct vec *ret_take) {
    size_t w = 0, h = 0;
    if (wanted->n)
        qsort(wanted->items, wanted->n, sizeof(struct kright), compare);
    if (have->n)
        qsort(have->items, have->n, sizeof(struct kright), compare);
    while (w < wanted->n || h < have->n) {
        const struct kright *a = w < wanted->n ? vec_at(wanted, struct kright, w) : NULL,
                            *b = h < have->n ? vec_at(have, struct kright, h) : NULL;
        int by = !a ? 1 : !b ? -1 : kright_compare(a, b);
        if (by < 0)
            *vec_add(arena, ret_give, struct kright) = *a;
        if (by > 0)
            *vec_add(arena, ret_take, struct kright) = *b;
        w += by <= 0;
        h += by >= 0;
    }
}

static int deny_first(const void *a, const void *b) {
    return (int)((const struct kright *)b)->deny - (int)((const struct kright *)a)->deny;
}

/* What others were given is theirs: the provider's own programs read events, for one. */
static struct vec only_ours(struct arena *arena, const struct vec *have) {
    struct vec ours = {0};
    for (size_t i = 0; i < have->n; i++) {
        const struct kright *right = vec_at(have, struct kright, i);
        if (str_eq(right->principal, PROGRAM_COORDINATOR) || str_starts(right->principal, PRINCIPAL_NODE))
            *vec_add(arena, &ours, struct kright) = *right;
    }
    return ours;
}

int rights_enforce(struct kadmin *kadmin, struct vec *wanted, const char *const *principals, size_t n,
                   struct arena *arena, size_t *ret_changes, struct err *err) {
    struct vec have = {0}, give = {0}, take = {0};
    *ret_changes = 0;
    for (size_t i = 0; i < (n ? n : 1); i++)
        if (kadmin_rights(kadmin, n ? principals[i] : NULL, arena, &have, err) < 0)
            return -1;
    if (!n)
        have = only_ours(arena, &have);
    rights_compare(wanted, &have, arena, &give, &take);
    if (give.n)
        qsort(give.items, give.n, sizeof(struct kright), deny_first);
    if (kadmin_give(kadmin, give.items, give.n, err) < 0)
        return -1;
    *ret_changes = give.n + take.n;
    return kadmin_take(kadmin, take.items, take.n, err);
}
