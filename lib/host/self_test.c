/* What a node lacks to do what its roles ask for: looked at when it joins, when its program begins, and every
 * five minutes. */
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/proc.h"
#include "host/host.h"
#include "io/compose.h"
#include "io/engine.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#ifdef FAULTS
#define AGAIN_US (5 * CLOCK_S)
#else
#define AGAIN_US (300 * CLOCK_S)
#endif
#define ENGINE_US (10 * CLOCK_S)
#define DISK_LEAST_MB 500

static void lack(struct str *out, const char *what) {
    str_addf(out, "%s%s", out->n ? "; " : "", what);
}

static bool engine_answers(const char *socket) {
    struct err err = {0};
    long status = 0;
    json_t *version = NULL;
    bool answers = engine_call(socket, "GET", "/version", NULL, ENGINE_US, &status, &version, &err) == 0 &&
                   status == 200;
    json_decref(version);
    return answers;
}

static bool has_program(const char *const *argv) {
    struct err err = {0};
    struct proc proc = {.argv = argv, .timeout_us = ENGINE_US};
    return proc_run(&proc, &err) == 0 && proc.status == 0;
}

static bool has_room(const char *folder) {
    struct statvfs fs;
    return statvfs(folder, &fs) != 0 || (uint64_t)fs.f_bavail * fs.f_frsize / 1048576 >= DISK_LEAST_MB;
}

void host_self_test(const struct host *host, struct str *out) {
    static const char *const nft[] = {"nft", "--version", NULL};
    const struct step_machine *machine = &host->conf.machine;
    unsigned roles = host->conf.roles;
    char folder[600];
    if ((roles & (ROLE_HOST | ROLE_BUILDER)) && !engine_answers(machine->engine_socket))
        lack(out, "the Docker Engine does not answer");
    else if ((roles & ROLE_HOST) && engine_names_by_manifest(machine->engine_socket))
        lack(out, "an Engine with its own image store (it has containerd's: \"features\": "
                  "{\"containerd-snapshotter\": false} in daemon.json)");
    if ((roles & ROLE_HOST) && !compose_driver())
        lack(out, "Compose is not installed");
    if ((roles & ROLE_HOST) && machine->guard && !has_program(nft))
        lack(out, "nft is not installed");
    if (!has_room(machine->state))
        lack(out, "its state folder has less than 500 MB of room");
    (void)snprintf(folder, sizeof folder, "%s/conf.d", machine->edge_dir);
    if ((roles & ROLE_EDGE) && !file_exists(machine->nginx_conf))
        lack(out, "nginx has no configuration");
    else if ((roles & ROLE_EDGE) && !file_exists(folder))
        lack(out, "nginx has no folder for routes");
}

int64_t host_test_itself(const struct loop *loop, void *arg) {
    struct host *host = arg;
    cleanup_str struct str found = STR_INIT(sizeof host->lacks - 1);
    (void)loop;
    host_self_test(host, &found);
    pthread_mutex_lock(&host->lacks_mutex);
    bool news = strcmp(host->lacks, str_text(&found)) != 0;
    (void)snprintf(host->lacks, sizeof host->lacks, "%s", str_text(&found));
    pthread_mutex_unlock(&host->lacks_mutex);
    if (news)
        log_warn("the self-test", LOG_S("lacks", found.n ? str_text(&found) : "nothing any more"));
    return AGAIN_US;
}
