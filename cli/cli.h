/* fairlead: the command line. One file per resource; commands.c has the table of commands. */
#ifndef FAIRLEAD_CLI_CLI_H
#define FAIRLEAD_CLI_CLI_H

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Exit codes (documented in --help). */
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_REFUSED = 3,
    EXIT_UNREACHABLE = 4,
    EXIT_TIMEOUT = 5
};

struct option_value {
    const char *name, *value;
};

#define CLI_OPTIONS_MAX 64

struct cli {
    const struct command *command;
    const char *server;
    char token[256];
    const char *key; /* Idempotency-Key of what is asked; NULL: that of --key, or one for each request */
    bool json, verbose;
    const char **args; /* positional, after resource and verb */
    int args_n;
    struct option_value options[CLI_OPTIONS_MAX];
    int options_n;
    struct arena arena;
};

struct command {
    const char *resource, *verb; /* verb "": the resource alone is the command */
    const char *args;            /* "NAME", "CUSTOMER/TENANT" ... for usage */
    const char *const *options;  /* "name=META help", NULL-ended; a trailing ! on the name: a flag */
    const char *help;
    int (*run)(struct cli *cli, const struct command *command);
    const char *path; /* of the API */
};
extern const struct command commands[];
extern const int commands_n;

/* Options: the value, or the default; cli_option_n walks repeated ones. */
const char *cli_option(const struct cli *cli, const char *name, const char *otherwise);
bool cli_flag(const struct cli *cli, const char *name);
int cli_usage(const struct command *command, const char *why);

/* One call. The exit code of a failure is returned and the sentence printed; *ret (may be NULL) is the body.
 */
int cli_call(struct cli *cli, const char *method, const char *path, const json_t *body, json_t **ret);
/* As cli_call, but a 404 or another refusal is not printed: *ret_status says what came. */
int cli_try(struct cli *cli, const char *method, const char *path, const json_t *body, long *ret_status,
            json_t **ret);

/* Prints why something was refused; returns the exit code of that. */
int cli_refused(struct cli *cli, long status, const json_t *answer);

/* Follows a server-sent event stream from behind `after`: calls each() with every event as JSON until it
 * returns false. A stream that ends is opened again behind the last event. */
int cli_follow(struct cli *cli, const char *path, int64_t after, bool (*each)(void *arg, const json_t *event),
               void *arg);

/* What was done: -o json the answer ({} where there is none), else the sentence. */
void cli_say(const struct cli *cli, const json_t *answer, const char *sentence);

/* One record: -o json as it is, else a line for each of its fields. */
void cli_print_one(const struct cli *cli, const json_t *record);
/* "2026-11-28 05:14:13" of an RFC 3339 time of the API (UTC); other texts as they are. */
const char *cli_time(struct arena *arena, const char *text);
/* A number from an option; a word that is none is sent as it is, and refused with the rule. */
void cli_set_number(json_t *body, const char *key, const char *text);
/* Prints rows: -o json as they are, else the columns ("key=TITLE") as a table. */
void cli_print(const struct cli *cli, const json_t *rows, const char *const *columns);

/* An instance by NAME with --tenant CUSTOMER/TENANT, or by identity. */
int cli_find_instance(struct cli *cli, const struct command *command, json_t **ret);
/* What it has below its own path, such as "steps": the answer, the caller's. */
int cli_find_part(struct cli *cli, const struct command *command, const char *part, json_t **ret);

/* "a,b" as a list. */
json_t *cli_split(const char *list);
/* A member of `body` from such a list; NULL: none is set. */
void cli_set_list(json_t *body, const char *key, const char *list);

/* The file of the profile that is meant: --profile, FAIRLEAD_PROFILE, or "default". */
const char *cli_profile_path(struct cli *cli);

int login(struct cli *cli, const struct command *command);
int logout(struct cli *cli, const struct command *command);
int password_change(struct cli *cli, const struct command *command);
int factor_on(struct cli *cli, const struct command *command);
int factor_off(struct cli *cli, const struct command *command);
int member_invite(struct cli *cli, const struct command *command);
int identity_provider_create(struct cli *cli, const struct command *command);
int identity_provider_delete(struct cli *cli, const struct command *command);
int whoami_show(struct cli *cli, const struct command *command);
int member_add(struct cli *cli, const struct command *command);
int member_get(struct cli *cli, const struct command *command);
int member_role(struct cli *cli, const struct command *command);
int member_remove(struct cli *cli, const struct command *command);
int token_create(struct cli *cli, const struct command *command);
int token_rotate(struct cli *cli, const struct command *command);
int token_revoke(struct cli *cli, const struct command *command);
int audit_list(struct cli *cli, const struct command *command);
int sign_file(struct cli *cli, const struct command *command);
int audit_verify(struct cli *cli, const struct command *command);
int run_list(struct cli *cli, const struct command *command);
int run_get(struct cli *cli, const struct command *command);
int run_delete(struct cli *cli, const struct command *command);
int customer_create(struct cli *cli, const struct command *command);
int plan_create(struct cli *cli, const struct command *command);
int tenant_create(struct cli *cli, const struct command *command);
int plane_create(struct cli *cli, const struct command *command);
int node_create(struct cli *cli, const struct command *command);
int run_show(struct cli *cli, const struct command *command);
int node_address(struct cli *cli, const struct command *command);
int node_invite(struct cli *cli, const struct command *command);
int node_labels(struct cli *cli, const struct command *command);
int node_revoke(struct cli *cli, const struct command *command);
int dead_letter_retry(struct cli *cli, const struct command *command);
int size_create(struct cli *cli, const struct command *command);
int app_register(struct cli *cli, const struct command *command);
int registry_prune(struct cli *cli, const struct command *command);
int app_sources(struct cli *cli, const struct command *command);
int app_offer(struct cli *cli, const struct command *command);
int app_check(struct cli *cli, const struct command *command);
int instance_create(struct cli *cli, const struct command *command);
int instance_list(struct cli *cli, const struct command *command);
int instance_get(struct cli *cli, const struct command *command);
int instance_intent(struct cli *cli, const struct command *command);
int instance_delete(struct cli *cli, const struct command *command);
int instance_events(struct cli *cli, const struct command *command);
int instance_steps(struct cli *cli, const struct command *command);
int instance_images(struct cli *cli, const struct command *command);
int instance_provenance(struct cli *cli, const struct command *command);
int instance_credentials(struct cli *cli, const struct command *command);
int clock_get(struct cli *cli, const struct command *command);
int clock_accept(struct cli *cli, const struct command *command);
int status_show(struct cli *cli, const struct command *command);
int doctor_show(struct cli *cli, const struct command *command);
/* images.c: images (REPOSITORY@DIGEST) as an archive, behind the records of a bundle (NULL: none). */
MUST_CHECK int images_write(struct cli *cli, const json_t *images, const char *records, const char *path,
                            int64_t *ret_bytes, struct err *err);
int node_bundle(struct cli *cli, const struct command *command);
int node_reports(struct cli *cli, const struct command *command);
int node_enrol(struct cli *cli, const struct command *command);
/* bundle.c: a file for whoever helps from afar. */
int bundle_write(struct cli *cli, const char *file);
int completion_names(struct cli *cli, const struct command *command);
int completion_print(struct cli *cli, const struct command *command);

#endif
