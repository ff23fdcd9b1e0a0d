/* What an agent adds to a node: its customer's policy, what it tells of itself on the machine, and commands
 * for whoever the machine belongs to. */
#ifndef FAIRLEAD_AGENT_AGENT_H
#define FAIRLEAD_AGENT_AGENT_H

#include "base/json.h"
#include "host/program.h"

struct told;

struct agent {
    struct host *host;
    const char *policy_file;
    const char *signatures; /* folder of second signatures */
    struct told *told;      /* what was last said of each document; also before the last start, once loaded */
    bool loaded;
    /* Instances that may start here, and have no folder yet: a ring. */
    struct uuid granted[64];
    unsigned granted_n;
    pthread_mutex_t mutex;
};

/* ---- host_conf: agent/allow.c, agent/told.c ---- */

/* Neither paused nor against the policy, which is read each time: it counts as it is now. */
bool agent_allows(void *agent, const Fairlead__V1__Document *document, struct keeper_outcome *outcome);
/* Written down where it is news: for "status" and "log". */
void agent_done(void *agent, const Fairlead__V1__Document *document, const struct keeper_outcome *outcome);

/* Its status and the end of its log, for the support bundle. */
void agent_tell(void *agent, struct str *out);

/* The rules as the policy file has them now; where there never was one, those of a file that says nothing.
 * The caller frees; NULL, class park: it cannot be understood, or was there and is missing. */
json_t *agent_rules(const struct agent *agent, struct err *err);
/* Why a stack may not run yet: it lacks the signature of `signer` (hex; NULL: none is asked for). NULL: it
 * may. */
const char *agent_unsigned(const struct agent *agent, const char *signer, const Fairlead__V1__Stack *stack,
                           struct arena *arena);

/* ---- files of its state folder ---- */

#define AGENT_PAUSED "paused"    /* is there: nothing new is done */
#define AGENT_TOLD "told"        /* a line for each document: KEY, its condition, and the reason */
#define AGENT_SEEN "policy.seen" /* there was a policy: where it is missing, nothing new is done */
#define AGENT_LOG "log"          /* a line for each thing that was news */

/* The path of one of them, in the arena. */
const char *agent_path(const struct host *host, const char *name, struct arena *arena);

/* ---- commands; each returns an exit code ---- */

int agent_enrol_ask(struct host *host, char **args);
int agent_enrol_by(struct host *host, char **args);
int agent_export(struct host *host, char **args);
int agent_status(struct host *host, char **args);
int agent_log(struct host *host, char **args);
int agent_pause(struct host *host, char **args);
int agent_resume(struct host *host, char **args);
int agent_show_secrets(struct host *host, char **args);
int agent_check_policy(struct host *host, char **args);
int agent_policy_fields(struct host *host, char **args);
int agent_list_unsigned(struct host *host, char **args);
int agent_show_unsigned(struct host *host, char **args);
int agent_leave(struct host *host, char **args);

#endif
