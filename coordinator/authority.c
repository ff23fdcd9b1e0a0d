#include "coordinator/authority.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US (86400 * CLOCK_S)
#define ROOT_US (20 * 365 * DAY_US)
#define ISSUING_US (3 * 365 * DAY_US)
#define PROGRAM_US (365 * DAY_US)

struct authority {
    struct cert_issuer issuer;
    char *root;
    int64_t life_us;
};

static const char *path_of(const char *folder, const char *name, char out[512]) {
    (void)snprintf(out, 512, "%s/%s", folder, name);
    return out;
}

static bool has(const char *folder, const char *name) {
    char path[512];
    return file_exists(path_of(folder, name, path));
}

static int keep(const char *folder, const char *name, const char *text, mode_t mode, struct err *err) {
    char path[512];
    return file_write(path_of(folder, name, path), text, strlen(text), mode, err);
}

static int read_one(const char *folder, const char *name, bool secret, char **ret, struct err *err) {
    char path[512];
    path_of(folder, name, path);
    return secret ? file_read_secret(path, CERT_PEM_MAX, ret, NULL, err)
                  : file_read(path, CERT_PEM_MAX, ret, NULL, err);
}

static int read_issuer(const char *folder, const char *who, struct cert_issuer *ret, struct err *err) {
    char key[32], chain[32];
    (void)snprintf(key, sizeof key, "%s.key", who);
    (void)snprintf(chain, sizeof chain, "%s.pem", who);
    return read_one(folder, key, true, &ret->key, err) < 0 ||
                   read_one(folder, chain, false, &ret->chain, err) < 0
               ? -1
               : 0;
}

static int make_root(const char *folder, struct err *err) {
    cleanup_free char *key = NULL, *root = NULL;
    int64_t now = clock_wall_us();
    const struct cert_wish wish = {.use = CERT_ROOT,
                                   .unit = "authority",
                                   .name = "Fairlead root",
                                   .from_us = now - CERT_EARLY_US,
                                   .until_us = now + ROOT_US};
    if (cert_key_make(&key, err) < 0 || cert_root_make(key, &wish, &root, err) < 0 ||
        keep(folder, "root.key", key, 0600, err) < 0 || keep(folder, "root.pem", root, 0644, err) < 0)
        return -1;
    printf("made %s/root.pem and root.key: that key is needed only to make an issuing key; keep it in a "
           "safe, not here\n",
           folder);
    return 0;
}

static int sign_issuing(const char *folder, const struct cert_issuer *root, struct err *err) {
    cleanup_free char *key = NULL, *request = NULL, *chain = NULL;
    int64_t now = clock_wall_us();
    const struct cert_wish wish = {.use = CERT_ISSUING,
                                   .unit = "authority",
                                   .name = "Fairlead issuing",
                                   .from_us = now - CERT_EARLY_US,
                                   .until_us = now + ISSUING_US};
    /* The key first: a certificate without its key would look whole to the next try. */
    if (cert_key_make(&key, err) < 0 || cert_request_make(key, &request, err) < 0 ||
        cert_issue(root, request, &wish, &chain, err) < 0 ||
        keep(folder, "issuing.key", key, 0600, err) < 0 || keep(folder, "issuing.pem", chain, 0644, err) < 0)
        return -1;
    printf("made %s/issuing.key and issuing.pem\n", folder);
    return 0;
}

static int make_issuing(const char *folder, struct err *err) {
    struct cert_issuer root = {0};
    if (!has(folder, "root.key"))
        return err_set(err, ERR_PARK, "an issuing key takes root.key: put it into \"%s\" for this moment",
                       folder);
    int rc = read_issuer(folder, "root", &root, err) < 0 ? -1 : sign_issuing(folder, &root, err);
    cert_issuer_release(&root);
    return rc;
}

/* Does what there is serve for a while? */
static int look_at_issuing(const char *folder, bool *ret_good, struct err *err) {
    cleanup_free char *chain = NULL;
    struct cert_facts facts;
    *ret_good = false;
    if (!has(folder, "issuing.pem") || !has(folder, "issuing.key"))
        return 0;
    if (read_one(folder, "issuing.pem", false, &chain, err) < 0 || cert_read(chain, &facts, err) < 0)
        return -1;
    *ret_good = facts.until_us - clock_wall_us() > ISSUING_US / 3;
    return 0;
}

int authority_make(const char *folder, struct err *err) {
    bool good;
    if (!*folder)
        return err_set(err, ERR_PARK, "--authority names no folder");
    if (file_mkdirs(folder, 0700, err) < 0 || (!has(folder, "root.pem") && make_root(folder, err) < 0) ||
        look_at_issuing(folder, &good, err) < 0)
        return -1;
    if (!good)
        return make_issuing(folder, err);
    printf("nothing to do in %s\n", folder);
    return 0;
}

static int issue(const char *folder, const struct cert_issuer *issuer, const struct cert_wish *wish,
                 struct err *err) {
    cleanup_free char *key = NULL, *request = NULL, *chain = NULL;
    cleanup_str struct str both = STR_INIT(CERT_PEM_MAX);
    char file[CERT_NAME_SIZE + 8];
    if (cert_key_make(&key, err) < 0 || cert_request_make(key, &request, err) < 0 ||
        cert_issue(issuer, request, wish, &chain, err) < 0)
        return -1;
    str_adds(&both, key);
    str_adds(&both, chain);
    (void)snprintf(file, sizeof file, "%s.pem", wish->name);
    return keep(folder, file, str_text(&both), 0600, err);
}

int authority_issue(const char *folder, const char *name, char *const *hosts, struct err *err) {
    struct cert_issuer issuer = {0};
    int64_t now = clock_wall_us();
    const struct cert_wish wish = {.use = hosts[0] ? CERT_SERVER : CERT_CLIENT,
                                   .unit = AUTHORITY_PROGRAMS,
                                   .name = name,
                                   .hosts = (const char *const *)hosts,
                                   .from_us = now - CERT_EARLY_US,
                                   .until_us = now + PROGRAM_US};
    if (!name_is_valid(name) || str_eq(name, "root") || str_eq(name, "issuing"))
        return err_set(err, ERR_PARK, "\"%s\" cannot be the name of a program: %s", name, NAME_RULE);
    int rc = read_issuer(folder, "issuing", &issuer, err) < 0 ? -1 : issue(folder, &issuer, &wish, err);
    cert_issuer_release(&issuer);
    if (rc == 0)
        printf("made %s/%s.pem, for a year\n", folder, name);
    return rc;
}

int authority_open(const char *folder, int64_t life_us, struct authority **ret, struct err *err) {
    struct cert_facts facts;
    *ret = NULL;
    if (!*folder)
        return 0;
    struct authority *authority = mem_alloc(sizeof *authority);
    authority->life_us = life_us;
    int rc = read_issuer(folder, "issuing", &authority->issuer, err) < 0 ||
                     read_one(folder, "root.pem", false, &authority->root, err) < 0 ||
                     cert_read(authority->issuer.chain, &facts, err) < 0
                 ? -1
                 : 0;
    if (rc == 0 && facts.until_us - clock_wall_us() < life_us)
        rc =
            err_set(err, ERR_PARK,
                    "the issuing certificate in \"%s\" is at its end: run \"fairlead-coordinator authority\"",
                    folder);
    if (rc == 0)
        *ret = authority;
    else
        authority_close(authority);
    return rc;
}

void authority_close(struct authority *authority) {
    if (!authority)
        return;
    cert_issuer_release(&authority->issuer);
    free(authority->root);
    free(authority);
}

const char *authority_root(const struct authority *authority) {
    return authority->root;
}

int64_t authority_life_us(const struct authority *authority) {
    return authority->life_us;
}

char *authority_principal(struct uuid node, int64_t enrolment, char out[PRINCIPAL_SIZE]) {
    char hex[UUID_HEX_SIZE];
    (void)snprintf(out, PRINCIPAL_SIZE, PRINCIPAL_NODE "%s.%lld", uuid_hex(node, hex), (long long)enrolment);
    return out;
}

int authority_certify(const struct authority *authority, struct uuid node, int64_t enrolment,
                      const char *request, int64_t now_us, char **ret, struct cert_facts *ret_facts,
                      struct err *err) {
    char name[PRINCIPAL_SIZE];
    const struct cert_wish wish = {.use = CERT_CLIENT,
                                   .unit = AUTHORITY_NODES,
                                   .name = authority_principal(node, enrolment, name),
                                   .from_us = now_us - CERT_EARLY_US,
                                   .until_us = now_us + authority->life_us};
    return cert_issue(&authority->issuer, request, &wish, ret, err) < 0 || cert_read(*ret, ret_facts, err) < 0
               ? -1
               : 0;
}
