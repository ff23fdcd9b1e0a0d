/* The node as a program: lock, enrolment, reporter, keeper of documents, inbox, events of the Engine,
 * presence, metrics, and the order in which they end. Worker and agent add only what is theirs.
 *
 * One document, one step: what is accepted is carried out by the step of its kind (step/step.h). */
#ifndef FAIRLEAD_HOST_HOST_H
#define FAIRLEAD_HOST_HOST_H

#include "base/conf.h"
#include "base/str.h"
#include "node/keeper.h"
#include "step/step.h"

#include <pthread.h>
#include <stdatomic.h>

struct host;

struct host_conf {
    const char *program;         /* as it calls itself: "worker" */
    unsigned roles;              /* bits of enum role */
    struct step_machine machine; /* node, disk and cancel are the host's to set */
    const char
        *engine_certs; /* folder in which the Engine looks for what to show a registry; NULL: it asks none */
    struct conf_row *options; /* as they are in use */
    bool is_private;          /* for a customer's own network; else for the provider's planes */
    const char *recovery_key; /* of a private one: file of the recovery key that enrolment makes */
    const char *plane_key;    /* ... and the public half of another machine's, hex; "": none is known */
    const char *metrics;      /* 127.x.x.x:PORT that answers Prometheus; "": nothing listens */
    /* What the program adds: begins when documents are kept, ends when none is read any more. NULL: nothing.
     */
    int (*start)(void *arg, struct err *err);
    void (*stop)(void *arg); /* finishes what has begun, also where start() failed half-way */
    /* May what is new be acted on? Not asked again of what was as wanted once. False fills the result. NULL:
     * all may. */
    bool (*allows)(void *arg, const Fairlead__V1__Document *document, struct keeper_outcome *outcome);
    /* Adds what is the program's own to the support bundle; NULL: nothing. */
    void (*tell)(void *arg, struct str *out);
    /* After each look or act; NULL: nobody listens. Both by several threads. */
    void (*done)(void *arg, const Fairlead__V1__Document *document, const struct keeper_outcome *outcome);
    void *arg;
};

struct host {
    struct host_conf conf;
    struct node_identity node;
    struct reporter *reporter;
    atomic_int stopping; /* non-zero: the program ends */
    /* ---- its own ---- */
    struct step_machine machine;
    struct keeper *keeper;
    struct inbox *inbox;
    struct heartbeat *heartbeat;
    struct httpd *metrics;
    struct loop *presence, *events, *renewal;
    struct loop *self_test;
    pthread_mutex_t lacks_mutex;
    char lacks[300]; /* what the last self-test found; under the mutex */
    bool looked;     /* at the certificate, since the program began */
    int renewal_failures;
    bool unoffered;   /* the Engine has not the certificate that was renewed last */
    int64_t renew_at; /* by the monotonic clock */
    char id[UUID_HEX_SIZE];
};

/* Runs until TERM or INT; returns the program's exit code. `host` holds its conf, and is static. */
int host_run(struct host *host);

/* Joins, with the token of "fairlead node invite", and says what the machine lacks for its roles; the exit
 * code. */
int host_enrol(const struct host *host, const char *token);

/* ---- by file: carry.c ---- */

/* What somebody brought: images, and for a node without a link its instructions. Beside a program that runs,
 * which goes on with them. The exit code. */
int host_import(const struct host *host, const char *file);
/* What it has to say, for somebody to carry away; of a node without a link. The exit code. */
int host_export(const struct host *host, const char *file);
/* Joining without a link: what `fairlead node enrol` is asked, as a file, and what it answered. The exit
 * codes. */
int host_enrol_ask(const struct host *host, const char *token, const char *file);
int host_enrol_by(const struct host *host, const char *token, const char *file);

/* One document by hand, and what look, act and check see of it, on stdout; the exit code. `key` is the name
 * of its file below STATE/documents, without ".accepted". `act` false: only looks, which changes nothing and
 * may be done beside a program that runs. */
int host_try(struct host *host, const char *key, bool act);

/* The support bundle: written to `path`, and shown; the exit code. Beside a program that runs, too. */
int host_bundle(const struct host *host, const char *path);

/* ---- for the files of this layer ---- */

/* The recovery key of this machine's own, and that which counts already: as the option has it, or as it was
 * pinned. */
struct recovery {
    struct sign_keys made;
    uint8_t known[SEAL_PUBLIC_SIZE];
    struct node_recovery of;
};
MUST_CHECK int host_find_recovery(const struct host *host, struct recovery *ret, struct err *err);
/* On stdout: who it is now, and what it lacks. */
void host_tell_enrolled(const struct host *host, const struct node_identity *node,
                        const struct recovery *recovery);
/* Identity and machine. Class park when the node has not enrolled. */
MUST_CHECK int host_load(struct host *host, struct err *err);
/* Only one program at a time acts on a state folder. */
MUST_CHECK int host_lock(const struct host *host, struct err *err);
/* keeper_conf.apply: a document by the step of its kind. */
void host_apply(void *host, const Fairlead__V1__Document *document, struct keeper_outcome *outcome);
/* The Engine shows the node's certificate to a registry that is not on this machine. */
MUST_CHECK int host_offer_certificate(const struct host *host, struct err *err);
/* A turn of base/loop.h: the certificate is renewed when it is time. */
int64_t host_renew(const struct loop *loop, void *host);
/* What the machine lacks, in words; adds nothing where all is there. May take a while. */
void host_self_test(const struct host *host, struct str *out);
/* A turn of base/loop.h: the self-test, for the next presence. */
int64_t host_test_itself(const struct loop *loop, void *host);
/* A turn of base/loop.h: presence is told. */
int64_t host_tell_presence(const struct loop *loop, void *host);

#endif
