/* By hand, with the root's key out of its safe for a moment: a new key, and the sets that bring it in. */
#include "base/fault.h"
#include "base/file.h"
#include "base/str.h"
#include "coordinator/key_sets.h"
#include "io/cert.h"
#include "node/key_set.h"
#include "sql/queries.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct rotation {
    struct pg *pg;
    const struct rotate_conf *conf;
    struct arena arena;
    Fairlead__V1__KeySet held; /* as it was last; its keys are in the arena */
    struct cert_issuer root;
};

static int read_root(struct rotation *rotation, struct err *err) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/root.key", rotation->conf->authority);
    if (!file_exists(path))
        return err_set(err, ERR_PARK,
                       "a set of keys takes root.key: put it into \"%s\" for this moment (option authority)",
                       rotation->conf->authority);
    if (file_read_secret(path, CERT_PEM_MAX, &rotation->root.key, NULL, err) < 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s/root.pem", rotation->conf->authority);
    return file_read(path, CERT_PEM_MAX, &rotation->root.chain, NULL, err);
}

static Fairlead__V1__SetKey *add_key(struct rotation *rotation, const void *sign_key, const void *seal_key,
                                     uint64_t since) {
    Fairlead__V1__KeySet *held = &rotation->held;
    Fairlead__V1__SetKey *key = arena_new(&rotation->arena, Fairlead__V1__SetKey);
    fairlead__v1__set_key__init(key);
    key->sign_key =
        (ProtobufCBinaryData){SIGN_PUBLIC_SIZE, arena_memdup(&rotation->arena, sign_key, SIGN_PUBLIC_SIZE)};
    key->seal_key =
        (ProtobufCBinaryData){SEAL_PUBLIC_SIZE, arena_memdup(&rotation->arena, seal_key, SEAL_PUBLIC_SIZE)};
    key->since = since;
    held->keys[held->n_keys++] = key;
    return key;
}

/* Before there is a set: the key that nodes have pinned. */
static int hold_first(struct rotation *rotation, struct err *err) {
    struct sign_keys first;
    char path[SIGNING_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/coordinator.keys", rotation->conf->state);
    if (sign_keys_load(&first, path, err) < 0)
        return -1;
    rotation->held.n = 1;
    (void)add_key(rotation, first.sign_public, first.seal_public, 1);
    return 0;
}

/* A set that the root has signed, judged as a node would, if it is younger than what is held. */
static int hold_set(struct rotation *rotation, const void *bytes, size_t n, struct err *err) {
    struct key_set judged;
    if (key_set_open(rotation->root.chain, bytes, n, &judged, err) < 0)
        return -1;
    if (judged.n <= rotation->held.n)
        return 0;
    Fairlead__V1__Envelope *envelope = fairlead__v1__envelope__unpack(NULL, n, bytes);
    Fairlead__V1__KeySet *set =
        fairlead__v1__key_set__unpack(NULL, envelope->payload.len, envelope->payload.data);
    rotation->held.n = set->n;
    rotation->held.n_keys = 0;
    for (size_t i = 0; i < set->n_keys; i++) {
        const Fairlead__V1__SetKey *from = set->keys[i];
        Fairlead__V1__SetKey *key = add_key(rotation, from->sign_key.data, from->seal_key.data, from->since);
        key->retired = from->retired;
        key->stolen = from->stolen;
    }
    fairlead__v1__key_set__free_unpacked(set, NULL);
    fairlead__v1__envelope__free_unpacked(envelope, NULL);
    return 0;
}

static const char *last_path(const struct rotation *rotation, char out[SIGNING_PATH_SIZE]) {
    (void)snprintf(out, SIGNING_PATH_SIZE, "%s/coordinator.set", rotation->conf->state);
    return out;
}

/* What the root has signed last, also what nobody was told of: numbers and keys go on from there. It lies
 * beside the keys, too: a database that was restored knows less than nodes do. */
static int read_held(struct rotation *rotation, PGresult *last, struct err *err) {
    char path[SIGNING_PATH_SIZE];
    cleanup_free char *kept = NULL;
    size_t n;
    rotation->held.keys = arena_alloc(&rotation->arena, KEYRING_MAX * sizeof *rotation->held.keys);
    if (hold_first(rotation, err) < 0 ||
        (!PQgetisnull(last, 0, 0) &&
         hold_set(rotation, PQgetvalue(last, 0, 1), (size_t)PQgetlength(last, 0, 1), err) < 0))
        return -1;
    if (!file_exists(last_path(rotation, path)))
        return 0;
    return file_read(path, KEY_SET_BYTES_MAX, &kept, &n, err) < 0 ? -1 : hold_set(rotation, kept, n, err);
}

static int check_last(const struct rotation *rotation, PGresult *last, struct err *err) {
    if (rotation->conf->stolen)
        return 0;
    if (pg_bool(last, 0, 2))
        return err_set(err, ERR_PARK,
                       "the keys are being rotated already: fairlead key list. If the key that signs was "
                       "stolen: rotate stolen");
    if (*pg_text(last, 0, 3))
        return err_set(err, ERR_PARK,
                       "these nodes know nothing of sets of keys, and would believe nobody: %s. Bring them "
                       "to this version first, or revoke them",
                       pg_text(last, 0, 3));
    return 0;
}

/* The set as it stands in `held`. On disk first: what the root has signed is never signed otherwise. */
static int store_set(struct rotation *rotation, const struct sign_keys *youngest, uint64_t since,
                     struct err *err) {
    void *bytes;
    size_t n;
    char path[SIGNING_PATH_SIZE];
    struct pg_params params = {.arena = &rotation->arena};
    if (key_set_make(rotation->root.key, &rotation->held, &rotation->arena, &bytes, &n, err) < 0 ||
        file_write(last_path(rotation, path), bytes, n, 0600, err) < 0)
        return -1;
    pg_params_int(&params, (int64_t)rotation->held.n);
    pg_params_bytes(&params, bytes, n);
    pg_params_bytes(&params, youngest->sign_public, SIGN_PUBLIC_SIZE);
    pg_params_int(&params, (int64_t)since);
    pg_params_bool(&params, rotation->conf->stolen);
    PGresult *stored = pg_run(rotation->pg, query_key_sets_insert, &params, err);
    PQclear(stored);
    return stored ? 0 : -1;
}

static int store_sets(struct rotation *rotation, const struct sign_keys *made, struct err *err) {
    size_t before = rotation->held.n_keys;
    uint64_t since = ++rotation->held.n;
    (void)add_key(rotation, made->sign_public, made->seal_public, since);
    if (!rotation->conf->stolen) {
        if (store_set(rotation, made, since, err) < 0)
            return -1;
        rotation->held.n++;
    }
    for (size_t i = 0; i < before; i++) {
        Fairlead__V1__SetKey *key = rotation->held.keys[i];
        key->stolen = key->stolen || (rotation->conf->stolen && !key->retired);
        key->retired = true;
    }
    return store_set(rotation, made, since, err);
}

/* What a rotation under way would have done last is overtaken by a theft; nobody was told of it. */
static int drop_unreleased(const struct rotation *rotation, struct err *err) {
    if (!rotation->conf->stolen)
        return 0;
    PGresult *dropped = pg_run(rotation->pg, query_key_sets_drop_unreleased, NULL, err);
    PQclear(dropped);
    return dropped ? 0 : -1;
}

/* Whoever runs the coordinator reads it, not whoever rotates. */
static int give_to_owner(const struct rotation *rotation, const char *path, struct err *err) {
    char first[SIGNING_PATH_SIZE], last[SIGNING_PATH_SIZE];
    struct stat owner;
    (void)snprintf(first, sizeof first, "%s/coordinator.keys", rotation->conf->state);
    if (stat(first, &owner) < 0 || chown(path, owner.st_uid, owner.st_gid) < 0 ||
        chown(last_path(rotation, last), owner.st_uid, owner.st_gid) < 0)
        return err_errno(err, ERR_PARK, "\"%s\" cannot be given to the coordinator's user", path);
    return 0;
}

static int rotate(struct rotation *rotation, struct err *err) {
    struct sign_keys made;
    char path[SIGNING_PATH_SIZE];
    if (read_root(rotation, err) < 0 || pg_script(rotation->pg, "begin", err) < 0)
        return -1;
    cleanup_result PGresult *last = pg_run(rotation->pg, query_key_sets_last, NULL, err);
    if (!last || check_last(rotation, last, err) < 0 || read_held(rotation, last, err) < 0 ||
        drop_unreleased(rotation, err) < 0)
        return -1;
    if (rotation->held.n_keys == KEYRING_MAX)
        return err_set(err, ERR_PARK, "a set holds %d keys, and all were given: enrol the nodes anew",
                       KEYRING_MAX);
    /* Its file first: a set without a key would stop whoever signs. */
    sign_keys_make(&made);
    if (sign_keys_save(&made, signing_path(rotation->conf->state, made.sign_public, path), err) < 0)
        return -1;
    if (store_sets(rotation, &made, err) < 0 || give_to_owner(rotation, path, err) < 0 ||
        fault_check(FAULT_KEY_MADE, err) < 0 || pg_script(rotation->pg, "commit", err) < 0) {
        struct err ignored = {0};
        if (file_remove(path, &ignored) < 0)
            (void)fprintf(stderr, "\"%s\" is of no use, and is still there\n", path);
        return -1;
    }
    printf("made %s: copy it to every other coordinator now, one that lacks it stops signing\n"
           "put root.key back into its safe; what follows goes on by itself: fairlead key list\n",
           path);
    return 0;
}

int key_sets_rotate(struct pg *pg, const struct rotate_conf *conf, struct err *err) {
    struct rotation rotation = {.pg = pg, .conf = conf, .held = FAIRLEAD__V1__KEY_SET__INIT};
    int rc = rotate(&rotation, err);
    if (rc < 0)
        pg_rollback(pg);
    cert_issuer_release(&rotation.root);
    arena_release(&rotation.arena);
    return rc;
}
