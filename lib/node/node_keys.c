/* The set of keys that a node judges signatures by: kept as it came, and judged anew at each start. */
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "node/node_own.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A program is one node. Taking a set is slow, and others go on judging meanwhile. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, taking = PTHREAD_MUTEX_INITIALIZER;

struct key_set node_key_set(const struct node_identity *node) {
    pthread_mutex_lock(&mutex);
    struct key_set set = node->coordinator;
    pthread_mutex_unlock(&mutex);
    return set;
}

static int open_set(const struct node_identity *node, const void *bytes, size_t n, struct key_set *ret,
                    struct err *err) {
    cleanup_free char *root = NULL;
    if (!*node->root)
        return err_set(err, ERR_DEAD, "a key set, and no authority is known here that could have signed it");
    return file_read(node->root, CERT_PEM_MAX, &root, NULL, err) < 0 ||
                   key_set_open(root, bytes, n, ret, err) < 0
               ? -1
               : 0;
}

static bool is_kept(const struct node_identity *node, const void *bytes, size_t n) {
    char path[NODE_PATH_SIZE];
    cleanup_free char *kept = NULL;
    size_t kept_n;
    return file_read_secret(node_path(node->state, NODE_KEYS, path), KEY_SET_BYTES_MAX, &kept, &kept_n,
                            NULL) == 0 &&
           kept_n == n && memcmp(kept, bytes, n) == 0;
}

static int take(struct node_identity *node, const void *bytes, size_t n, bool *ret_new, struct err *err) {
    struct key_set next, held = node_key_set(node);
    char path[NODE_PATH_SIZE];
    *ret_new = false;
    if (open_set(node, bytes, n, &next, err) < 0)
        return -1;
    if (next.n < held.n)
        return 0;
    if (next.n == held.n)
        return is_kept(node, bytes, n)
                   ? 0
                   : err_set(err, ERR_DEAD, "ALARM: another set of keys of the same number");
    if (key_set_follows(&held, &next, err) < 0 ||
        file_write(node_path(node->state, NODE_KEYS, path), bytes, n, 0600, err) < 0 ||
        fault_check(FAULT_KEYS_KEPT, err) < 0)
        return -1;
    pthread_mutex_lock(&mutex);
    node->coordinator = next;
    pthread_mutex_unlock(&mutex);
    *ret_new = true;
    return 0;
}

int node_take_keys(struct node_identity *node, const void *bytes, size_t n, bool *ret_new, struct err *err) {
    pthread_mutex_lock(&taking);
    int rc = take(node, bytes, n, ret_new, err);
    pthread_mutex_unlock(&taking);
    return rc;
}

int node_load_keys(struct node_identity *node, struct err *err) {
    char path[NODE_PATH_SIZE];
    cleanup_free char *bytes = NULL;
    size_t n;
    struct key_set set;
    if (!file_exists(node_path(node->state, NODE_KEYS, path)))
        return 0;
    if (file_read_secret(path, KEY_SET_BYTES_MAX, &bytes, &n, err) < 0 ||
        open_set(node, bytes, n, &set, err) < 0)
        return -1;
    if (!keyring_find(&set.ring, node->coordinator.ring.keys[0].id, SIGN_KEY_ID_SIZE))
        return err_set(err, ERR_PARK, "\"%s\" knows nothing of the key that was pinned: enrol again", path);
    node->coordinator = set;
    return 0;
}
