#include "coordinator/key_sets.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/str.h"
#include "coordinator/letters.h"
#include "coordinator/topics.h"
#include "node/envelope.h"
#include "proto/fairlead.pb-c.h"
#include "sql/queries.h"

#include <string.h>

#define CHUNK 500
#define SETTLED_S 10  /* no transaction of who signs lasts so long (protocol section 2) */
#define PATIENCE_S 60 /* for nodes that do not say that they know a set */
#ifdef FAULTS         /* for orders that the older key signed */
#define OVERLAP_S 3
#else
#define OVERLAP_S 900
#endif

static int read_signer(PGresult *res, struct signing *signing, int64_t *ret_since, struct err *err) {
    bool first = PQgetisnull(res, 0, 0);
    if (ret_since)
        *ret_since = first ? 1 : pg_int(res, 0, 1);
    return signing_use(signing, first ? NULL : (const uint8_t *)PQgetvalue(res, 0, 0), err);
}

int key_sets_follow(struct pg *pg, struct signing *signing, int64_t *ret_since, struct err *err) {
    cleanup_result PGresult *res = pg_run(pg, query_key_sets_signer, NULL, err);
    return res ? read_signer(res, signing, ret_since, err) : -1;
}

int key_sets_released(struct pg *pg, struct arena *arena, const char **ret, struct err *err) {
    *ret = NULL;
    cleanup_result PGresult *res = pg_run(pg, query_key_sets_released, NULL, err);
    if (!res)
        return -1;
    if (PQntuples(res) == 1) {
        size_t n = (size_t)PQgetlength(res, 0, 0);
        char *hex = arena_alloc(arena, 2 * n + 1);
        hex_encode(hex, PQgetvalue(res, 0, 0), n);
        *ret = hex;
    }
    return 0;
}

/* ---- nodes are told ---- */

static int tell(struct pg *pg, int64_t again_s, struct err *err) {
    struct arena arena = {0};
    struct pg_params params = {.arena = &arena};
    struct letters letters = {.pg = pg, .arena = &arena};
    pg_params_int(&params, again_s);
    if (pg_script(pg, "begin", err) < 0)
        return -1;
    cleanup_result PGresult *due = pg_run(pg, query_key_sets_due, &params, err);
    for (int row = 0; due && row < PQntuples(due); row++) {
        char topic[TOPIC_NAME_SIZE];
        struct uuid node = pg_uuid(due, row, 0);
        struct outbox_row *letter = letter_add(
            &letters, arena_strdup(&arena, topic_of_node(node, pg_uuid(due, row, 1), topic)), "record");
        letter->key = key_of_word(node, "keys", &arena);
        letter->value = (struct bytes){PQgetvalue(due, row, 2), (size_t)PQgetlength(due, row, 2)};
    }
    int rc = due && letters_write(&letters, err) == 0 && pg_script(pg, "commit", err) == 0 ? 0 : -1;
    if (rc < 0)
        pg_rollback(pg);
    arena_release(&arena);
    return rc;
}

/* ---- documents are signed again ---- */

/* Where the last page ended. */
struct place {
    struct uuid node, instance;
    char kind[20], letter[2];
};

struct again {
    struct uuid node_id, instance_id;
    const char *kind, *letter;
    int64_t epoch, revision;
    struct bytes envelope;
};
static const struct pg_column again_columns[] = {
    PG_COL(struct again, node_id, PG_UUID),   PG_COL(struct again, instance_id, PG_UUID),
    PG_COL(struct again, kind, PG_TEXT),      PG_COL(struct again, letter, PG_TEXT),
    PG_COL(struct again, epoch, PG_INT),      PG_COL(struct again, revision, PG_INT),
    PG_COL(struct again, envelope, PG_BYTES),
};

/* What one of our keys signed, by the one that signs now. False: there is nothing to do about it, or (*left)
 * it cannot be done here. */
static bool sign_again(struct signing *signing, const void *bytes, size_t n, struct arena *arena,
                       struct bytes *ret, size_t *left) {
    const struct sign_keys *keys = signing_key(signing);
    uint8_t id[SIGN_KEY_ID_SIZE];
    sign_key_id(keys->sign_public, id);
    Fairlead__V1__Envelope *envelope = fairlead__v1__envelope__unpack(NULL, n, bytes);
    bool current =
        envelope && envelope->key_id.len == sizeof id && memcmp(envelope->key_id.data, id, sizeof id) == 0;
    bool ours = envelope && !current && str_eq(envelope->type, ENVELOPE_DOCUMENT) &&
                signing_verify(signing, envelope->type, envelope->payload.data, envelope->payload.len,
                               envelope->signature.data, envelope->signature.len);
    if (ours)
        ret->p = envelope_make(keys, ENVELOPE_DOCUMENT, envelope->payload.data, envelope->payload.len, arena,
                               &ret->n);
    if (!ours && !current) { /* of a key that another coordinator has; or somebody wrote it into the table */
        log_error("a document that no key here has signed is left as it is");
        ++*left;
    }
    fairlead__v1__envelope__free_unpacked(envelope, NULL);
    return ours;
}

static int keep(struct pg *pg, const struct vec *rows, const struct letters *letters, struct err *err) {
    struct pg_params params = {.arena = letters->arena};
    if (!rows->n)
        return 0;
    pg_params_rows(&params, again_columns, sizeof again_columns / sizeof *again_columns, rows->items,
                   rows->n);
    PGresult *kept = pg_run(pg, query_key_sets_keep, &params, err);
    PQclear(kept);
    return kept && letters_write(letters, err) == 0 ? fault_check(FAULT_DOCUMENTS_SIGNED, err) : -1;
}

static PGresult *ask_page(struct pg *pg, const struct place *place, struct arena *arena, struct err *err) {
    struct pg_params params = {.arena = arena};
    pg_params_uuid(&params, place->node);
    pg_params_uuid(&params, place->instance);
    pg_params_text(&params, place->kind);
    pg_params_text(&params, place->letter);
    pg_params_int(&params, CHUNK);
    return pg_run(pg, query_key_sets_documents, &params, err);
}

/* Under the locks that an engine takes: it writes back what it has read. */
static PGresult *lock_page(struct pg *pg, const struct place *place, struct arena *arena, struct err *err) {
    struct pg_params params = {.arena = arena};
    struct vec ids = {0};
    cleanup_result PGresult *page = ask_page(pg, place, arena, err);
    for (int i = 0; page && i < PQntuples(page); i++)
        *vec_add(arena, &ids, struct uuid) = pg_uuid(page, i, 1);
    pg_params_uuids(&params, ids.items, ids.n);
    cleanup_result PGresult *locked = page ? pg_run(pg, query_key_sets_lock, &params, err) : NULL;
    return locked ? ask_page(pg, place, arena, err) : NULL;
}

static int sign_page(struct pg *pg, struct signing *signing, struct place *place, bool *ret_more,
                     size_t *left, struct err *err) {
    struct arena arena = {0};
    struct letters letters = {.pg = pg, .arena = &arena};
    struct vec rows = {0};
    if (pg_script(pg, "begin", err) < 0)
        return -1;
    cleanup_result PGresult *res = lock_page(pg, place, &arena, err);
    for (int i = 0; res && i < PQntuples(res); i++) {
        struct again *again = arena_new(&arena, struct again);
        *again = (struct again){.node_id = place->node = pg_uuid(res, i, 0),
                                .instance_id = place->instance = pg_uuid(res, i, 1),
                                .kind = arena_strdup(&arena, pg_text(res, i, 2)),
                                .letter = arena_strdup(&arena, pg_text(res, i, 3)),
                                .epoch = pg_int(res, i, 4),
                                .revision = pg_int(res, i, 5)};
        (void)snprintf(place->kind, sizeof place->kind, "%s", again->kind);
        (void)snprintf(place->letter, sizeof place->letter, "%s", again->letter);
        if (!sign_again(signing, PQgetvalue(res, i, 6), (size_t)PQgetlength(res, i, 6), &arena,
                        &again->envelope, left))
            continue;
        ++*left;
        *vec_add(&arena, &rows, const void *) = again;
        if (!pg_bool(res, i, 7)) /* a tombstone stands for it */
            continue;
        char topic[TOPIC_NAME_SIZE];
        topic_of_document(again->node_id, pg_uuid(res, i, 8), topic);
        struct outbox_row *letter = letter_add(&letters, arena_strdup(&arena, topic), "document");
        letter->node_id = again->node_id;
        letter->instance_id = again->instance_id;
        letter->document = again->kind;
        letter->letter = again->letter;
    }
    *ret_more = res && PQntuples(res) == CHUNK;
    int rc = res && keep(pg, &rows, &letters, err) == 0 && pg_script(pg, "commit", err) == 0 ? 0 : -1;
    if (rc < 0)
        pg_rollback(pg);
    arena_release(&arena);
    return rc;
}

/* All of them at once: nothing else of the clock's is as urgent, and who dies here begins again. It is done
 * when there was nothing left to do. */
static int sign_documents(struct pg *pg, struct signing *signing, struct err *err) {
    struct arena arena = {0};
    struct pg_params params = {.arena = &arena}, done = {.arena = &arena};
    struct place place = {0};
    pg_params_int(&params, SETTLED_S);
    cleanup_result PGresult *due = pg_run(pg, query_key_sets_to_sign_again, &params, err);
    int rc = due ? 0 : -1;
    bool some = due && !PQgetisnull(due, 0, 0);
    size_t left = 0;
    for (bool more = some; rc == 0 && more;)
        rc = sign_page(pg, signing, &place, &more, &left, err);
    if (rc == 0 && some && !left) {
        pg_params_int(&done, pg_int(due, 0, 0));
        PGresult *told = pg_run(pg, query_key_sets_signed_again, &done, err);
        PQclear(told);
        rc = told ? 0 : -1;
        if (rc == 0)
            log_info("all documents are signed by the key that signs now");
    }
    arena_release(&arena);
    return rc;
}

/* ---- the next thing ---- */

static int move_on(struct pg *pg, const char *query, int64_t seconds, const char *what, struct err *err) {
    struct arena arena = {0};
    struct pg_params params = {.arena = &arena};
    pg_params_int(&params, seconds);
    cleanup_result PGresult *moved = pg_run(pg, query, &params, err);
    for (int row = 0; moved && row < PQntuples(moved); row++)
        log_info(what, LOG_I("set", pg_int(moved, row, 0)));
    arena_release(&arena);
    return moved ? 0 : -1;
}

int key_sets_step(struct pg *pg, struct signing *signing, int64_t again_s, struct err *err) {
    cleanup_result PGresult *signer = pg_run(pg, query_key_sets_signer, NULL, err);
    if (!signer)
        return -1;
    if (!pg_bool(signer, 0, 2)) /* there are no sets */
        return 0;
    if (pg_bool(signer, 0, 3) &&
        (move_on(pg, query_key_sets_release, OVERLAP_S, "a key set is released", err) < 0 ||
         move_on(pg, query_key_sets_sign, PATIENCE_S, "its youngest key signs", err) < 0))
        return -1;
    /* What has just been moved on may have changed it. */
    if ((pg_bool(signer, 0, 3) ? key_sets_follow(pg, signing, NULL, err)
                               : read_signer(signer, signing, NULL, err)) < 0 ||
        tell(pg, again_s, err) < 0)
        return -1;
    return pg_bool(signer, 0, 3) ? sign_documents(pg, signing, err) : 0;
}
