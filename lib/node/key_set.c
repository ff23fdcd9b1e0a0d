#include "node/key_set.h"

#include "base/str.h"
#include "io/cert.h"
#include "node/envelope.h"

#include <string.h>

struct key_set key_set_first(const uint8_t sign_public[SIGN_PUBLIC_SIZE],
                             const uint8_t seal_public[SEAL_PUBLIC_SIZE]) {
    struct key_set set = {.n = 1};
    (void)keyring_add(&set.ring, sign_public);
    memcpy(set.seal, seal_public, SEAL_PUBLIC_SIZE);
    return set;
}

int key_set_make(const char *root_key, const Fairlead__V1__KeySet *set, struct arena *arena, void **ret,
                 size_t *ret_n, struct err *err) {
    size_t n = fairlead__v1__key_set__get_packed_size(set);
    uint8_t *payload = arena_alloc(arena, n), signature[CERT_SIGNATURE_MAX];
    cleanup_str struct str said = STR_INIT(KEY_SET_BYTES_MAX);
    Fairlead__V1__Envelope envelope = FAIRLEAD__V1__ENVELOPE__INIT;
    char type[] = ENVELOPE_KEYS;
    fairlead__v1__key_set__pack(set, payload);
    sign_pre_authentication(&said, type, payload, n);
    if (cert_sign(root_key, said.s, said.n, signature, &envelope.signature.len, err) < 0)
        return -1;
    envelope.type = type;
    envelope.payload = (ProtobufCBinaryData){n, payload};
    envelope.signature.data = signature;
    *ret_n = fairlead__v1__envelope__get_packed_size(&envelope);
    *ret = arena_alloc(arena, *ret_n);
    fairlead__v1__envelope__pack(&envelope, *ret);
    return 0;
}

static bool add_key(struct key_set *set, const Fairlead__V1__SetKey *said) {
    uint8_t id[SIGN_KEY_ID_SIZE];
    if (said->sign_key.len != SIGN_PUBLIC_SIZE || said->seal_key.len != SEAL_PUBLIC_SIZE || said->since < 1 ||
        said->since > set->n)
        return false;
    sign_key_id(said->sign_key.data, id);
    struct keyring_key *key =
        keyring_find(&set->ring, id, sizeof id) ? NULL : keyring_add(&set->ring, said->sign_key.data);
    if (!key)
        return false;
    key->since = said->since;
    key->retired = said->retired;
    key->stolen = said->stolen;
    if (key_set_youngest(set) == key)
        memcpy(set->seal, said->seal_key.data, SEAL_PUBLIC_SIZE);
    return true;
}

static int read_set(const Fairlead__V1__KeySet *said, struct key_set *ret, struct err *err) {
    *ret = (struct key_set){.n = said->n};
    for (size_t i = 0; i < said->n_keys; i++)
        if (!add_key(ret, said->keys[i]))
            return err_set(err, ERR_DEAD, "a key set with a key that cannot be");
    return key_set_youngest(ret) ? 0 : err_set(err, ERR_DEAD, "a key set without a key that counts");
}

static int open_parsed(const char *root, const Fairlead__V1__Envelope *envelope, struct key_set *ret,
                       struct err *err) {
    cleanup_str struct str said = STR_INIT(KEY_SET_BYTES_MAX);
    if (!str_eq(envelope->type, ENVELOPE_KEYS))
        return err_set(err, ERR_DEAD, "this is no key set");
    sign_pre_authentication(&said, envelope->type, envelope->payload.data, envelope->payload.len);
    if (str_is_cut(&said) ||
        !cert_verify(root, said.s, said.n, envelope->signature.data, envelope->signature.len))
        return err_set(err, ERR_DEAD, "a key set that the authority's root has not signed");
    Fairlead__V1__KeySet *set =
        fairlead__v1__key_set__unpack(NULL, envelope->payload.len, envelope->payload.data);
    int rc = set ? read_set(set, ret, err) : err_set(err, ERR_DEAD, "a key set that cannot be read");
    fairlead__v1__key_set__free_unpacked(set, NULL);
    return rc;
}

int key_set_open(const char *root, const void *bytes, size_t n, struct key_set *ret, struct err *err) {
    Fairlead__V1__Envelope *envelope =
        n && n <= KEY_SET_BYTES_MAX ? fairlead__v1__envelope__unpack(NULL, n, bytes) : NULL;
    if (!envelope)
        return err_set(err, ERR_DEAD, "a key set that is not an envelope");
    int rc = open_parsed(root, envelope, ret, err);
    fairlead__v1__envelope__free_unpacked(envelope, NULL);
    return rc;
}

int key_set_follows(const struct key_set *held, const struct key_set *next, struct err *err) {
    if (next->n <= held->n)
        return err_set(err, ERR_DEAD, "a key set that is no younger than the one that is held");
    for (size_t i = 0; i < held->ring.n; i++) {
        const struct keyring_key *key = keyring_find(&next->ring, held->ring.keys[i].id, SIGN_KEY_ID_SIZE);
        if (!key || key->since != held->ring.keys[i].since)
            return err_set(err, ERR_DEAD, "a key set that forgets a key, or since when there is one");
        if ((held->ring.keys[i].retired && !key->retired) || (held->ring.keys[i].stolen && !key->stolen))
            return err_set(err, ERR_DEAD, "a key set that brings a retired key back");
    }
    return 0;
}

const struct keyring_key *key_set_youngest(const struct key_set *set) {
    const struct keyring_key *youngest = NULL;
    for (size_t i = 0; i < set->ring.n; i++)
        if (!set->ring.keys[i].retired && (!youngest || set->ring.keys[i].since > youngest->since))
            youngest = &set->ring.keys[i];
    return youngest;
}

bool key_set_counts(const struct key_set *set, uint64_t since) {
    for (size_t i = 0; i < set->ring.n; i++)
        if (set->ring.keys[i].since == since && !set->ring.keys[i].retired)
            return true;
    return false;
}

bool key_set_is_stolen(const struct key_set *set, uint64_t since) {
    for (size_t i = 0; i < set->ring.n; i++)
        if (set->ring.keys[i].since == since && set->ring.keys[i].stolen)
            return true;
    return false;
}
