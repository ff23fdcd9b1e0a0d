#include "coordinator/inventory.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "coordinator/key_sets.h"
#include "coordinator/letters.h"
#include "coordinator/topics.h"
#include "sql/queries.h"

#include <stdio.h>
#include <string.h>
#include <uthash.h>

/* Of one part of a list: below what an envelope may weigh; with fault points so few that tests see several.
 */
#ifdef FAULTS
#define ENTRIES_MAX 3
#else
#define ENTRIES_MAX 4000
#endif

/* What a node says that it holds, by document. No padding: the key is compared as bytes. */
struct held {
    struct {
        struct uuid instance;
        char kind[24], letter[8];
    } document;
    const Fairlead__V1__InventoryEntry *entry;
    bool known; /* to PostgreSQL, too */
    UT_hash_handle hh;
};

static struct held *find_held(struct held *all, const uint8_t instance[16], const char *kind,
                              const char *letter, struct held *ret_key) {
    struct held *found;
    *ret_key = (struct held){0};
    memcpy(ret_key->document.instance.b, instance, 16);
    (void)snprintf(ret_key->document.kind, sizeof ret_key->document.kind, "%s", kind);
    (void)snprintf(ret_key->document.letter, sizeof ret_key->document.letter, "%s",
                   *letter ? letter : SET_FIRST);
    HASH_FIND(hh, all, &ret_key->document, sizeof ret_key->document, found);
    return found;
}

/* In the arena; the table itself is freed by HASH_CLEAR. The first of two that speak of one document counts.
 */
static struct held *index_held(struct arena *arena, const Fairlead__V1__Inventory *inventory) {
    struct held *all = NULL;
    for (size_t i = 0; i < inventory->n_entries; i++) {
        const Fairlead__V1__InventoryEntry *entry = inventory->entries[i];
        struct held key;
        if (entry->instance.len != 16 || find_held(all, entry->instance.data, entry->kind, entry->set, &key))
            continue;
        struct held *held = arena_new(arena, struct held);
        *held = key;
        held->entry = entry;
        HASH_ADD(hh, all, document, sizeof held->document, held);
    }
    return all;
}

/* Must the document go out again? Not when the node holds it, signed by the key that signs now, and has said
 * of it what was last heard. */
static bool must_send(PGresult *rows, int row, int64_t since, const Fairlead__V1__InventoryEntry *held) {
    bool absent = pg_bool(rows, row, 4), confirmed = pg_bool(rows, row, 5);
    if (!held)
        return !(absent && confirmed);
    if ((int64_t)held->epoch != pg_int(rows, row, 2) || (int64_t)held->revision != pg_int(rows, row, 3))
        return true;
    if (held->since && (int64_t)held->since != since)
        return true;
    return pg_int(rows, row, 6) != pg_int(rows, row, 3) || !str_eq(held->condition, pg_text(rows, row, 7));
}

/* A part of the list, of the documents from `at` on. */
static void add_list(struct letters *letters, const char *topic, const struct sign_keys *keys,
                     struct uuid node_id, const Fairlead__V1__Inventory *inventory, PGresult *documents,
                     int at) {
    Fairlead__V1__List list = FAIRLEAD__V1__LIST__INIT;
    struct vec entries = {0};
    int n_documents = PQntuples(documents);
    for (int i = at; i < n_documents && i < at + ENTRIES_MAX; i++) {
        Fairlead__V1__SignedListEntry *entry = arena_new(letters->arena, Fairlead__V1__SignedListEntry);
        fairlead__v1__signed_list_entry__init(entry);
        struct uuid instance = pg_uuid(documents, i, 0);
        entry->instance = (ProtobufCBinaryData){16, arena_memdup(letters->arena, instance.b, 16)};
        entry->kind = arena_strdup(letters->arena, pg_text(documents, i, 1));
        entry->epoch = (uint32_t)pg_int(documents, i, 2);
        entry->revision = (uint64_t)pg_int(documents, i, 3);
        entry->absent = pg_bool(documents, i, 4);
        if (!str_eq(pg_text(documents, i, 8), SET_FIRST))
            entry->set = arena_strdup(letters->arena, pg_text(documents, i, 8));
        *vec_add(letters->arena, &entries, Fairlead__V1__SignedListEntry *) = entry;
    }
    list.node = (ProtobufCBinaryData){16, node_id.b};
    list.nonce = inventory->nonce;
    list.inventory_part = inventory->part;
    list.part = (uint32_t)(at / ENTRIES_MAX) + 1;
    list.parts = (uint32_t)(n_documents ? (n_documents - 1) / ENTRIES_MAX : 0) + 1;
    list.n_entries = entries.n;
    list.entries = entries.items;
    size_t n = fairlead__v1__list__get_packed_size(&list);
    uint8_t *packed = arena_alloc(letters->arena, n);
    fairlead__v1__list__pack(&list, packed);
    struct outbox_row *row = letter_add(letters, topic, "record");
    row->key = key_of_word(node_id, arena_printf(letters->arena, "list%u.%u", list.inventory_part, list.part),
                           letters->arena);
    row->value.p = envelope_make(keys, ENVELOPE_LIST, packed, n, letters->arena, &row->value.n);
}

/* A node that was restored from an old disk must hear "absent" again, though it was confirmed long ago and
 * the relay would send a tombstone for it. */
static int add_absent(struct letters *letters, struct uuid node_id, const struct vec *instances,
                      const struct vec *kinds, const struct vec *sets, struct err *err) {
    struct pg_params params = {.arena = letters->arena};
    if (!instances->n)
        return 0;
    pg_params_uuid(&params, node_id);
    pg_params_uuids(&params, instances->items, instances->n);
    pg_params_texts(&params, kinds->items, kinds->n);
    pg_params_texts(&params, sets->items, sets->n);
    cleanup_result PGresult *absent = pg_run(letters->pg, query_inventory_absent, &params, err);
    if (!absent)
        return -1;
    for (int i = 0; i < PQntuples(absent); i++) {
        char topic[TOPIC_NAME_SIZE];
        topic_of_document(node_id, pg_uuid(absent, i, 4), topic);
        struct outbox_row *row = letter_add(letters, arena_strdup(letters->arena, topic), "record");
        struct uuid instance = pg_uuid(absent, i, 0);
        struct str key = STR_INIT(64);
        key_of_document(&key, node_id, instance, pg_text(absent, i, 1), pg_text(absent, i, 3));
        row->key = (struct bytes){arena_memdup(letters->arena, key.s, key.n), key.n};
        row->value.n = (size_t)PQgetlength(absent, i, 2);
        row->value.p = arena_memdup(letters->arena, PQgetvalue(absent, i, 2), row->value.n);
        str_release(&key);
    }
    return 0;
}

/* Which instances a part of an inventory speaks of; `open` fills a bound that there is not. */
static struct uuid bound_of(ProtobufCBinaryData data, int open) {
    struct uuid id;
    memset(id.b, open, sizeof id.b);
    if (data.len == sizeof id.b)
        memcpy(id.b, data.data, sizeof id.b);
    return id;
}

/* What nobody here has ever wanted: somebody else signed it, or the database was restored. It is told, and
 * left alone. */
static int tell_strangers(struct pg *pg, struct uuid node_id, const Fairlead__V1__Inventory *inventory,
                          const struct held *all, struct arena *arena, struct err *err) {
    struct pg_params params = {.arena = arena};
    int64_t strangers = 0;
    for (const struct held *held = all; held; held = held->hh.next)
        strangers += !held->known && !held->entry->absent;
    pg_params_uuid(&params, node_id);
    pg_params_bool(&params, inventory->part <= 1);
    pg_params_int(&params, strangers);
    cleanup_result PGresult *told = pg_run(pg, query_inventory_strangers, &params, err);
    if (told && PQntuples(told) && strangers)
        log_warn("a node holds documents that are not known here; they are left alone",
                 LOG_I("documents", strangers));
    return told ? 0 : -1;
}

static int answer(struct letters *letters, const struct sign_keys *keys, int64_t since, struct uuid node_id,
                  struct uuid private_plane, const Fairlead__V1__Inventory *inventory, int64_t *ret_compared,
                  struct err *err) {
    struct pg_params params = {.arena = letters->arena};
    struct vec absent_instances = {0}, absent_kinds = {0}, absent_sets = {0};
    char buf[TOPIC_NAME_SIZE];
    const char *topic = arena_strdup(letters->arena, topic_of_node(node_id, private_plane, buf));
    pg_params_uuid(&params, node_id);
    pg_params_uuid(&params, bound_of(inventory->after, 0x00));
    pg_params_uuid(&params, bound_of(inventory->upto, 0xff));
    cleanup_result PGresult *documents = pg_run(letters->pg, query_inventory_documents, &params, err);
    if (!documents)
        return -1;
    struct held *all = index_held(letters->arena, inventory);
    *ret_compared = PQntuples(documents) + (int64_t)inventory->n_entries;
    for (int i = 0; i < PQntuples(documents); i++) {
        struct held key;
        struct held *held = find_held(all, pg_uuid(documents, i, 0).b, pg_text(documents, i, 1),
                                      pg_text(documents, i, 8), &key);
        if (held)
            held->known = true;
        if (!must_send(documents, i, since, held ? held->entry : NULL))
            continue;
        if (pg_bool(documents, i, 4) && pg_bool(documents, i, 5)) {
            *vec_add(letters->arena, &absent_instances, struct uuid) = pg_uuid(documents, i, 0);
            *vec_add(letters->arena, &absent_kinds, const char *) = pg_text(documents, i, 1);
            *vec_add(letters->arena, &absent_sets, const char *) = pg_text(documents, i, 8);
            continue;
        }
        topic_of_document(node_id, pg_uuid(documents, i, 9), buf);
        struct outbox_row *row = letter_add(letters, arena_strdup(letters->arena, buf), "document");
        row->node_id = node_id;
        row->instance_id = pg_uuid(documents, i, 0);
        row->document = arena_strdup(letters->arena, pg_text(documents, i, 1));
        row->letter = arena_strdup(letters->arena, pg_text(documents, i, 8));
    }
    int rc = tell_strangers(letters->pg, node_id, inventory, all, letters->arena, err);
    HASH_CLEAR(hh, all);
    if (rc < 0 || add_absent(letters, node_id, &absent_instances, &absent_kinds, &absent_sets, err) < 0)
        return -1;
    int at = 0;
    do {
        add_list(letters, topic, keys, node_id, inventory, documents, at);
        at += ENTRIES_MAX;
    } while (at < PQntuples(documents));
    return letters_write(letters, err);
}

int inventory_answer(struct pg *pg, struct signing *signing, struct uuid node_id, struct uuid private_plane,
                     const Fairlead__V1__Inventory *inventory, int64_t *ret_compared, struct err *err) {
    struct arena arena = {0};
    struct letters letters = {.pg = pg, .arena = &arena};
    int64_t since;
    int rc = key_sets_follow(pg, signing, &since, err) < 0
                 ? -1
                 : answer(&letters, signing_key(signing), since, node_id, private_plane, inventory,
                          ret_compared, err);
    arena_release(&arena);
    return rc;
}
