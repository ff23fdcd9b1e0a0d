/* The chain of a public key, as a file that whoever serves names reads: STATE/certificates/KEY.pem, KEY the
 * hash of the public key. It is judged before it takes the place of the one before, which serves until then.
 */
#include "base/fault.h"
#include "base/file.h"
#include "base/str.h"
#include "io/tls.h"
#include "step/step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_MAX 65536

struct kept {
    Fairlead__V1__Certificate *want;
    char path[600];
};

static int open_certificate(struct step_context *ctx, struct kept *kept, struct err *err) {
    char hex[2 * TLS_KEY_HASH_SIZE + 1];
    kept->want =
        fairlead__v1__certificate__unpack(NULL, ctx->document->content.len, ctx->document->content.data);
    if (!kept->want || kept->want->public_key_sha256.len != TLS_KEY_HASH_SIZE || !kept->want->n_names)
        return step_fail(ctx, err, ERR_PARK, "bad_document", "The certificate document cannot be read.");
    hex_encode(hex, kept->want->public_key_sha256.data, TLS_KEY_HASH_SIZE);
    (void)snprintf(kept->path, sizeof kept->path, "%s/certificates/%s.pem", ctx->machine->state, hex);
    return 0;
}

static bool holds(const struct kept *kept) {
    cleanup_free char *text = NULL;
    return file_exists(kept->path) && file_read(kept->path, CHAIN_MAX, &text, NULL, NULL) == 0 &&
           str_eq(text, kept->want->chain);
}

static int look(struct step_context *ctx, struct err *err) {
    struct kept *kept = arena_new(ctx->arena, struct kept);
    ctx->own = kept;
    if (open_certificate(ctx, kept, err) < 0)
        return -1;
    if (ctx->document->absent)
        return !file_exists(kept->path);
    if (tls_check_chain(kept->want->chain, kept->want->public_key_sha256.data, kept->want->names,
                        kept->want->n_names, err) < 0)
        return step_fail(ctx, err, ERR_PARK, "bad_certificate", "%s", arena_strdup(ctx->arena, err->text));
    return holds(kept) ? 1 : step_drift(ctx, "The file of the certificate was changed or is gone.");
}

static int act(struct step_context *ctx, struct err *err) {
    const struct kept *kept = ctx->own;
    char folder[600];
    if (ctx->document->absent)
        return file_remove_tree(kept->path, err);
    (void)snprintf(folder, sizeof folder, "%s/certificates", ctx->machine->state);
    if (file_mkdirs(folder, 0700, err) < 0 ||
        file_write(kept->path, kept->want->chain, strlen(kept->want->chain), 0600, err) < 0)
        return -1;
    return fault_check(FAULT_CERTIFICATE_WRITTEN, err);
}

static int check(struct step_context *ctx, struct err *err) {
    const struct kept *kept = ctx->own;
    if (ctx->document->absent ? !file_exists(kept->path) : holds(kept))
        return 0;
    return step_fail(ctx, err, ERR_RETRY, "not_kept",
                     "The file of the certificate is not as it was written.");
}

static void end(struct step_context *ctx) {
    struct kept *kept = ctx->own;
    if (kept && kept->want)
        fairlead__v1__certificate__free_unpacked(kept->want, NULL);
}

const struct step step_certificate = {
    .name = "certificate", .look = look, .act = act, .check = check, .end = end};
