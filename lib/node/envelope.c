#include "node/envelope.h"

#include "base/str.h"
#include "proto/fairlead.pb-c.h"

#include <string.h>

void *envelope_make(const struct sign_keys *keys, const char *type, const void *payload, size_t n,
                    struct arena *arena, size_t *ret_n) {
    uint8_t key_id[SIGN_KEY_ID_SIZE], signature[SIGN_SIZE];
    Fairlead__V1__Envelope envelope = FAIRLEAD__V1__ENVELOPE__INIT;
    sign_key_id(keys->sign_public, key_id);
    sign_make(keys, type, payload, n, signature);
    envelope.type = (char *)(uintptr_t)type;
    envelope.payload = (ProtobufCBinaryData){.len = n, .data = (uint8_t *)(uintptr_t)payload};
    envelope.key_id = (ProtobufCBinaryData){.len = sizeof key_id, .data = key_id};
    envelope.signature = (ProtobufCBinaryData){.len = sizeof signature, .data = signature};
    *ret_n = fairlead__v1__envelope__get_packed_size(&envelope);
    uint8_t *out = arena_alloc(arena, *ret_n);
    fairlead__v1__envelope__pack(&envelope, out);
    return out;
}

static int open_parsed(const Fairlead__V1__Envelope *envelope, const struct keyring *ring, bool again,
                       struct arena *arena, struct opened *ret, struct err *err) {
    static const char *const types[] = {ENVELOPE_ORDERS,  ENVELOPE_DOCUMENT,  ENVELOPE_LIST,
                                        ENVELOPE_REPORTS, ENVELOPE_HEARTBEAT, ENVELOPE_ENROL};
    *ret = (struct opened){0};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_eq(envelope->type, types[i]))
            ret->type = types[i];
    if (!ret->type)
        return err_set(err, ERR_DEAD, "an envelope of unknown type");
    const struct keyring_key *key = keyring_find(ring, envelope->key_id.data, envelope->key_id.len);
    if (!key)
        return err_set(err, ERR_DEAD, "an envelope signed by a key that is not known here");
    if (key->retired && !again)
        return err_set(err, ERR_DEAD, "an envelope signed by a key that is retired");
    if (!sign_verify(key->sign_public, ret->type, envelope->payload.data, envelope->payload.len,
                     envelope->signature.data, envelope->signature.len))
        return err_set(err, ERR_DEAD, "an envelope with a bad signature");
    ret->payload = arena_memdup(arena, envelope->payload.data, envelope->payload.len);
    ret->n = envelope->payload.len;
    ret->since = key->since;
    return 0;
}

static int open_bytes(const struct keyring *ring, const void *bytes, size_t n, bool again,
                      struct arena *arena, struct opened *ret, struct err *err) {
    Fairlead__V1__Envelope *envelope = n ? fairlead__v1__envelope__unpack(NULL, n, bytes) : NULL;
    if (!envelope)
        return err_set(err, ERR_DEAD, "a record that is not an envelope");
    int rc = open_parsed(envelope, ring, again, arena, ret, err);
    fairlead__v1__envelope__free_unpacked(envelope, NULL);
    return rc;
}

int envelope_open(const struct keyring *ring, const void *bytes, size_t n, struct arena *arena,
                  struct opened *ret, struct err *err) {
    return open_bytes(ring, bytes, n, false, arena, ret, err);
}

int envelope_reopen(const struct keyring *ring, const void *bytes, size_t n, struct arena *arena,
                    struct opened *ret, struct err *err) {
    return open_bytes(ring, bytes, n, true, arena, ret, err);
}
