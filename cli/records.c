/* plan, customer, tenant, plane, node, size, dead-letter: records. */
#include "base/file.h"
#include "cli/cli.h"
#include "io/sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *resource;
    const char *const *columns;
} tables[] = {
    {"plan", (const char *const[]){"name=NAME", "modes=MODES", "max_instances=INSTANCES",
                                   "max_memory_mb=MEMORY", "trial_days=TRIAL", NULL}},
    {"customer", (const char *const[]){"name=NAME", "plan=PLAN", "title=TITLE", NULL}},
    {"tenant", (const char *const[]){"customer=CUSTOMER", "name=NAME", "title=TITLE", NULL}},
    {"plane", (const char *const[]){"name=NAME", "mode=MODE", "customer=CUSTOMER", "domain=DOMAIN",
                                    "public_port=PORT", "phase=PHASE", "phase_reason=WHY", NULL}},
    {"node", (const char *const[]){"name=NAME", "plane=PLANE", "roles=ROLES", "state=STATE", "health=HEALTH",
                                   "address=ADDRESS", "memory_used_mb=USED", "memory_mb=MEMORY", NULL}},
    {"size", (const char *const[]){"plane=PLANE", "name=NAME", "cpu_milli=CPU", "memory_mb=MEMORY",
                                   "disk_mb=DISK", NULL}},
    {"app", (const char *const[]){"name=NAME", "title=TITLE", "versions=VERSIONS", "summary=SUMMARY", NULL}},
    {"member", (const char *const[]){"member=MEMBER", "kind=KIND", "role=ROLE", "tenant=TENANT",
                                     "plane=PLANE", "title=TITLE", NULL}},
    {"identity-provider", (const char *const[]){"customer=CUSTOMER", "name=NAME", "issuer=ISSUER",
                                                "client_id=CLIENT", "sign_in=BEGIN", NULL}},
    {"role", (const char *const[]){"name=ROLE", "side=SIDE", "scopes=SCOPES", NULL}},
    {"token", (const char *const[]){"id=ID", "member=MEMBER", "name=NAME", "hint=BEGINS", "scopes=SCOPES",
                                    "expires_at=ENDS", "used_at=USED", NULL}},
    {"key", (const char *const[]){"n=SET", "key=KEY", "phase=PHASE", "behind=BEHIND", "released_at=RELEASED",
                                  "signs_at=SIGNS", NULL}},
    {"dead-letter", (const char *const[]){"id=ID", "created_at=WHEN", "source=SOURCE", "reason=REASON",
                                          "bytes=BYTES", NULL}},
};

static const char *const *columns_of(const struct command *command) {
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (str_eq(tables[i].resource, command->resource))
            return tables[i].columns;
    return tables[1].columns;
}

int run_list(struct cli *cli, const struct command *command) {
    cleanup_json json_t *all = json_array();
    char after[128] = "";
    for (;;) {
        json_t *page = NULL;
        const char *path =
            *after ? arena_printf(&cli->arena, "%s?after=%s", command->path, after) : command->path;
        int rc = cli_call(cli, "GET", path, NULL, &page);
        if (rc)
            return rc;
        (void)json_array_extend(all, json_object_get(page, "items"));
        const char *next = json_str(page, "next");
        (void)snprintf(after, sizeof after, "%s", next ? next : "");
        json_decref(page);
        if (!*after)
            break;
    }
    cli_print(cli, all, columns_of(command));
    return EXIT_OK;
}

int run_get(struct cli *cli, const struct command *command) {
    json_t *record = NULL;
    int rc =
        cli_call(cli, "GET", arena_printf(&cli->arena, "%s/%s", command->path, cli->args[0]), NULL, &record);
    if (rc == EXIT_OK)
        cli_print_one(cli, record);
    json_decref(record);
    return rc;
}

/* What stands at the command's own path. */
int run_show(struct cli *cli, const struct command *command) {
    json_t *record = NULL;
    int rc = cli_call(cli, "GET", command->path, NULL, &record);
    if (rc == EXIT_OK)
        cli_print_one(cli, record);
    json_decref(record);
    return rc;
}

int run_delete(struct cli *cli, const struct command *command) {
    int rc =
        cli_call(cli, "DELETE", arena_printf(&cli->arena, "%s/%s", command->path, cli->args[0]), NULL, NULL);
    if (rc == EXIT_OK)
        cli_say(cli, NULL, arena_printf(&cli->arena, "%s \"%s\" deleted", command->resource, cli->args[0]));
    return rc;
}

static int create(struct cli *cli, const struct command *command, json_t *body) {
    json_t *made = NULL;
    int rc = cli_call(cli, "POST", command->path, body, &made);
    if (rc == EXIT_OK)
        cli_say(cli, made, arena_printf(&cli->arena, "%s \"%s\" created", command->resource, cli->args[0]));
    json_decref(made);
    json_decref(body);
    return rc;
}

void cli_set_number(json_t *body, const char *key, const char *text) {
    int64_t n;
    if (text)
        (void)json_object_set_new(
            body, key, str_to_int(text, INT64_MIN, INT64_MAX, &n) ? json_integer(n) : json_string(text));
}

static void set_text(json_t *body, const char *key, const char *text) {
    if (text)
        (void)json_object_set_new(body, key, json_string(text));
}

json_t *cli_split(const char *list) {
    json_t *out = json_array();
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, ",");
        (void)json_array_append_new(out, json_stringn(p, n));
        p += n + (p[n] == ',');
    }
    return out;
}

void cli_set_list(json_t *body, const char *key, const char *list) {
    if (list)
        (void)json_object_set_new(body, key, cli_split(list));
}

/* "A/B" into two keys. */
static json_t *named_below(struct cli *cli, const char *parent) {
    const char *slash = strchr(cli->args[0], '/');
    json_t *body = json_object();
    set_text(body, "name", slash ? slash + 1 : cli->args[0]);
    (void)json_object_set_new(body, parent,
                              json_stringn(cli->args[0], slash ? (size_t)(slash - cli->args[0]) : 0));
    return body;
}

int plan_create(struct cli *cli, const struct command *command) {
    json_t *body = json_pack("{s:s}", "name", cli->args[0]);
    set_text(body, "title", cli_option(cli, "title", NULL));
    (void)json_object_set_new(body, "modes", cli_split(cli_option(cli, "modes", "shared")));
    cli_set_number(body, "max_instances", cli_option(cli, "max-instances", NULL));
    cli_set_number(body, "max_memory_mb", cli_option(cli, "max-memory", NULL));
    cli_set_number(body, "trial_days", cli_option(cli, "trial-days", NULL));
    cli_set_list(body, "requires", cli_option(cli, "require", NULL));
    return create(cli, command, body);
}

int customer_create(struct cli *cli, const struct command *command) {
    json_t *body = json_pack("{s:s}", "name", cli->args[0]);
    set_text(body, "plan", cli_option(cli, "plan", NULL));
    set_text(body, "title", cli_option(cli, "title", NULL));
    return create(cli, command, body);
}

int tenant_create(struct cli *cli, const struct command *command) {
    json_t *body = named_below(cli, "customer");
    set_text(body, "title", cli_option(cli, "title", NULL));
    return create(cli, command, body);
}

/* The pair is made here; the private half stays in the operator's file and the server sees only the public
 * one. */
static int recovery_key(const char *path, char public_hex[65]) {
    struct err err = {0};
    struct sign_keys keys;
    if (sign_keys_ensure(&keys, path, NULL, &err) < 0) {
        (void)fprintf(stderr, "fairlead: %s\n", err.text);
        return EXIT_FAILED;
    }
    hex_encode(public_hex, keys.seal_public, SEAL_PUBLIC_SIZE);
    return EXIT_OK;
}

int plane_create(struct cli *cli, const struct command *command) {
    char public_hex[65];
    const char *file = cli_option(cli, "recovery-key", NULL);
    bool is_private = str_eq(cli_option(cli, "mode", "shared"), "private");
    if (file && is_private)
        return cli_usage(command,
                         "the recovery key of a private plane is its customer's: the first agent makes it");
    if (!file && !is_private)
        return cli_usage(
            command, "--recovery-key FILE is required: without it nobody can open secrets of a lost node");
    int rc = file ? recovery_key(file, public_hex) : EXIT_OK;
    if (rc)
        return rc;
    json_t *body = json_pack("{s:s}", "name", cli->args[0]);
    set_text(body, "recovery_key", file ? public_hex : NULL);
    set_text(body, "domain", cli_option(cli, "domain", NULL));
    set_text(body, "mode", cli_option(cli, "mode", NULL));
    set_text(body, "customer", cli_option(cli, "customer", NULL));
    set_text(body, "link", cli_option(cli, "link", NULL));
    cli_set_number(body, "public_port", cli_option(cli, "public-port", NULL));
    return create(cli, command, body);
}

int node_create(struct cli *cli, const struct command *command) {
    json_t *body = json_pack("{s:s}", "name", cli->args[0]);
    set_text(body, "plane", cli_option(cli, "plane", NULL));
    set_text(body, "address", cli_option(cli, "address", NULL));
    (void)json_object_set_new(body, "roles", cli_split(cli_option(cli, "roles", "host")));
    cli_set_number(body, "cpu_milli", cli_option(cli, "cpu", "2000"));
    cli_set_number(body, "memory_mb", cli_option(cli, "memory", "4096"));
    cli_set_number(body, "disk_mb", cli_option(cli, "disk", "20000"));
    cli_set_list(body, "labels", cli_option(cli, "labels", NULL));
    return create(cli, command, body);
}

int node_address(struct cli *cli, const struct command *command) {
    json_t *answer = NULL, *body = json_pack("{s:s}", "address", cli->args[1]);
    int rc = cli_call(cli, "POST", arena_printf(&cli->arena, "%s/%s/address", command->path, cli->args[0]),
                      body, &answer);
    if (rc == EXIT_OK)
        cli_say(cli, answer,
                arena_printf(&cli->arena, "node \"%s\" is at %s now; %lld instances are told", cli->args[0],
                             cli->args[1], (long long)json_int(answer, "instances", 0)));
    json_decref(answer);
    json_decref(body);
    return rc;
}

int node_invite(struct cli *cli, const struct command *command) {
    json_t *answer = NULL;
    int rc = cli_call(cli, "POST", arena_printf(&cli->arena, "%s/%s/invite", command->path, cli->args[0]),
                      NULL, &answer);
    if (rc == EXIT_OK)
        cli_say(cli, answer, json_str(answer, "token"));
    json_decref(answer);
    return rc;
}

int node_labels(struct cli *cli, const struct command *command) {
    json_t *answer = NULL, *body = json_object();
    cli_set_list(body, "labels", cli->args[1]);
    int rc = cli_call(cli, "POST", arena_printf(&cli->arena, "%s/%s/labels", command->path, cli->args[0]),
                      body, &answer);
    if (rc == EXIT_OK)
        cli_say(cli, answer,
                arena_printf(&cli->arena, "node \"%s\" has %zu labels now; what runs there runs on",
                             cli->args[0], json_array_size(json_object_get(answer, "labels"))));
    json_decref(answer);
    json_decref(body);
    return rc;
}

int node_revoke(struct cli *cli, const struct command *command) {
    json_t *answer = NULL;
    int rc = cli_call(cli, "POST", arena_printf(&cli->arena, "%s/%s/revoke", command->path, cli->args[0]),
                      NULL, &answer);
    if (rc == EXIT_OK)
        cli_say(cli, answer,
                arena_printf(
                    &cli->arena,
                    "node \"%s\" may nothing any more; what runs on it runs on. To let it in again: remove "
                    "node.keys from its state folder, and fairlead node invite %s",
                    cli->args[0], cli->args[0]));
    json_decref(answer);
    return rc;
}

int size_create(struct cli *cli, const struct command *command) {
    json_t *body = named_below(cli, "plane");
    cli_set_number(body, "cpu_milli", cli_option(cli, "cpu", "1000"));
    cli_set_number(body, "memory_mb", cli_option(cli, "memory", "1024"));
    cli_set_number(body, "disk_mb", cli_option(cli, "disk", "2000"));
    return create(cli, command, body);
}

int dead_letter_retry(struct cli *cli, const struct command *command) {
    json_t *answer = NULL;
    int rc = cli_call(cli, "POST", arena_printf(&cli->arena, "%s/%s/retry", command->path, cli->args[0]),
                      NULL, &answer);
    if (rc == EXIT_OK)
        cli_say(cli, answer, "sent again");
    json_decref(answer);
    return rc;
}
