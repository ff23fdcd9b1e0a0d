/* The machine joins: its recovery key, where its customer has one, and what is told to whoever did it. */
#include "base/file.h"
#include "base/str.h"
#include "host/host.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

int host_find_recovery(const struct host *host, struct recovery *ret, struct err *err) {
    struct node_identity before;
    struct err ignored = {0};
    char folder[PATH_MAX];
    const char *path = host->conf.recovery_key;
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    if (file_mkdirs(folder, 0700, err) < 0 || sign_keys_ensure(&ret->made, path, NULL, err) < 0)
        return -1;
    ret->of.own = ret->made.seal_public;
    if (*host->conf.plane_key) {
        if (!hex_decode(ret->known, sizeof ret->known, host->conf.plane_key))
            return err_set(err, ERR_PARK,
                           "plane-key is 64 hex digits, as the first machine's enrolment printed them");
        ret->of.known = ret->known;
    } else if (node_load(host->conf.machine.state, &before, &ignored) == 0 && before.is_private) {
        memcpy(ret->known, before.recovery, sizeof ret->known);
        ret->of.known = ret->known;
    }
    return 0;
}

static void tell_recovery(const struct host *host, const struct node_identity *node,
                          const struct recovery *recovery) {
    char hex[2 * SEAL_PUBLIC_SIZE + 1];
    hex_encode(hex, node->recovery, SEAL_PUBLIC_SIZE);
    if (memcmp(node->recovery, recovery->made.seal_public, SEAL_PUBLIC_SIZE) == 0)
        printf("the recovery key of this plane is in %s: keep it elsewhere as well. Who has it can open what "
               "this machine's apps keep secret; without it that is lost with the machine. Its public half, "
               "for the plane-key of other machines: %s\n",
               host->conf.recovery_key, hex);
    else
        printf("the recovery key of this plane is %s\n", hex);
}

void host_tell_enrolled(const struct host *host, const struct node_identity *node,
                        const struct recovery *recovery) {
    struct err err = {0};
    struct cert_facts facts;
    cleanup_str struct str lacks = STR_INIT(sizeof host->lacks - 1);
    printf("enrolled as \"%s\"\n", node->name);
    if (*node->cert && node_certificate(node, &facts, &err) == 0)
        printf("its certificate, to compare with \"fairlead node get %s\": SHA-256 %s\n", node->name,
               facts.fingerprint);
    if (host->conf.is_private)
        tell_recovery(host, node, recovery);
    host_self_test(host, &lacks);
    if (lacks.n)
        printf("this machine lacks something for its roles: %s\n", str_text(&lacks));
}

int host_enrol(const struct host *host, const char *token) {
    struct err err = {0};
    struct node_identity node;
    struct recovery recovery = {0};
    bool makes = host->conf.is_private;
    if ((makes && host_find_recovery(host, &recovery, &err) < 0) ||
        node_enrol(host->conf.machine.state, token, makes ? &recovery.of : NULL, &node, &err) < 0) {
        (void)fprintf(stderr, "fairlead-%s: %s\n", host->conf.program, err.text);
        return 1;
    }
    host_tell_enrolled(host, &node, &recovery);
    return 0;
}
