#include "coordinator/signing.h"

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX (2 * KEYRING_MAX) /* of a set, and files that came to nothing */

/* Keys are only added, and none moves: whoever holds one need not ask again. */
struct signing {
    char state[400];
    pthread_mutex_t mutex;
    struct sign_keys *keys[KEYS_MAX]; /* the first is the first of all */
    size_t n, current;
};

const char *signing_path(const char *state, const uint8_t sign_public[SIGN_PUBLIC_SIZE],
                         char out[SIGNING_PATH_SIZE]) {
    uint8_t id[SIGN_KEY_ID_SIZE];
    char hex[2 * SIGN_KEY_ID_SIZE + 1];
    sign_key_id(sign_public, id);
    hex_encode(hex, id, sizeof id);
    (void)snprintf(out, SIGNING_PATH_SIZE, "%s/coordinator.%s.keys", state, hex);
    return out;
}

/* SIZE_MAX: none of them. The mutex is held. */
static size_t find(const struct signing *signing, const uint8_t *sign_public) {
    for (size_t i = 0; i < signing->n; i++)
        if (memcmp(signing->keys[i]->sign_public, sign_public, SIGN_PUBLIC_SIZE) == 0)
            return i;
    return SIZE_MAX;
}

static int add(struct signing *signing, const char *path, struct err *err) {
    struct sign_keys keys;
    if (sign_keys_load(&keys, path, err) < 0)
        return -1;
    if (find(signing, keys.sign_public) != SIZE_MAX)
        return 0;
    if (signing->n == KEYS_MAX) {
        log_warn("one key more than are kept", LOG_S("path", path));
        return 0;
    }
    signing->keys[signing->n] = mem_alloc(sizeof keys);
    *signing->keys[signing->n++] = keys;
    return 0;
}

static int add_file(const char *name, void *arg, struct err *err) {
    struct signing *signing = arg;
    char path[SIGNING_PATH_SIZE];
    size_t n = strlen(name);
    if (!str_starts(name, "coordinator.") || n < 5 || !str_eq(name + n - 5, ".keys"))
        return 0;
    (void)snprintf(path, sizeof path, "%s/%s", signing->state, name);
    return add(signing, path, err);
}

int signing_open(const char *state, struct signing **ret, struct err *err) {
    struct signing *signing = mem_alloc(sizeof *signing);
    struct sign_keys first;
    char path[SIGNING_PATH_SIZE];
    bool made = false;
    *ret = NULL;
    pthread_mutex_init(&signing->mutex, NULL);
    (void)snprintf(signing->state, sizeof signing->state, "%s", state);
    (void)snprintf(path, sizeof path, "%s/coordinator.keys", state);
    if (file_mkdirs(state, 0700, err) < 0 || sign_keys_ensure(&first, path, &made, err) < 0 ||
        add(signing, path, err) < 0 || file_list(state, add_file, signing, err) < 0) {
        signing_close(signing);
        return -1;
    }
    if (made)
        log_info("keys made", LOG_S("path", path));
    *ret = signing;
    return 0;
}

void signing_close(struct signing *signing) {
    if (!signing)
        return;
    for (size_t i = 0; i < signing->n; i++)
        free(signing->keys[i]);
    pthread_mutex_destroy(&signing->mutex);
    free(signing);
}

const struct sign_keys *signing_key(struct signing *signing) {
    pthread_mutex_lock(&signing->mutex);
    const struct sign_keys *keys = signing->keys[signing->current];
    pthread_mutex_unlock(&signing->mutex);
    return keys;
}

/* It may have been put here since the program began. */
static int find_or_add(struct signing *signing, const uint8_t *sign_public, size_t *ret, struct err *err) {
    char path[SIGNING_PATH_SIZE];
    *ret = find(signing, sign_public);
    if (*ret != SIZE_MAX)
        return 0;
    if (!file_exists(signing_path(signing->state, sign_public, path)))
        return err_set(err, ERR_RETRY,
                       "this installation signs with another key by now: copy \"%s\" here from the "
                       "coordinator on which it was made",
                       path);
    if (add(signing, path, err) < 0) {
        err->cls = ERR_RETRY; /* somebody will mend it, and what waits must wait for that */
        return -1;
    }
    *ret = find(signing, sign_public);
    return *ret == SIZE_MAX ? err_set(err, ERR_RETRY, "\"%s\" holds another key than its name says", path)
                            : 0;
}

int signing_use(struct signing *signing, const uint8_t *sign_public, struct err *err) {
    size_t found = 0;
    pthread_mutex_lock(&signing->mutex);
    int rc = sign_public ? find_or_add(signing, sign_public, &found, err) : 0;
    bool another = rc == 0 && found != signing->current;
    if (rc == 0)
        signing->current = found;
    pthread_mutex_unlock(&signing->mutex);
    if (another)
        log_info("another key signs", LOG_I("of", signing->n));
    return rc;
}

/* All that there are, as they are now; how many. */
static size_t copy_all(struct signing *signing, const struct sign_keys *out[KEYS_MAX]) {
    pthread_mutex_lock(&signing->mutex);
    size_t n = signing->n;
    memcpy(out, signing->keys, n * sizeof *out);
    pthread_mutex_unlock(&signing->mutex);
    return n;
}

int signing_unseal(struct signing *signing, const void *box, size_t n, struct arena *arena, void **ret,
                   size_t *ret_n, struct err *err) {
    const struct sign_keys *keys[KEYS_MAX];
    struct err last = {0};
    for (size_t i = copy_all(signing, keys); i-- > 0;)
        if (sign_unseal(keys[i], box, n, arena, ret, ret_n, &last) == 0)
            return 0;
    return err_set(err, last.cls, "%s", last.text);
}

bool signing_verify(struct signing *signing, const char *type, const void *payload, size_t n,
                    const void *signature, size_t signature_n) {
    const struct sign_keys *keys[KEYS_MAX];
    for (size_t i = copy_all(signing, keys); i-- > 0;)
        if (sign_verify(keys[i]->sign_public, type, payload, n, signature, signature_n))
            return true;
    return false;
}
