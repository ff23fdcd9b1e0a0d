/* How builds ask the Docker Engine, and what its answers mean. */
#include "base/clock.h"
#include "base/proc.h"
#include "model/manifest.h"
#include "step/image.h"
#include "worker/build_own.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 256 /* of one command: a release's arguments, those of the builder, and its own */

static const char *const engine_env[] = {"DOCKER_BUILDKIT=0", NULL};

int build_engine(struct worker *worker, const char *const *words, int64_t limit_s, enum err_class cls,
                 struct str *out, struct str *log, struct err *err) {
    char host[300];
    const char *argv[WORDS_MAX + 4] = {"docker", "-H", host};
    size_t n = 3;
    (void)snprintf(host, sizeof host, "unix://%s", worker->conf.engine_socket);
    while (*words && n < WORDS_MAX + 3)
        argv[n++] = *words++;
    if (*words)
        return err_set(err, ERR_PARK,
                       "The build has too many arguments, with those of the builder's build-args.");
    struct proc proc = {.argv = argv,
                        .env = engine_env,
                        .timeout_us = limit_s * CLOCK_S,
                        .cancel = &worker->host->stopping,
                        .out = out,
                        .log = log};
    return proc_check(&proc, cls, err);
}

/* The digest that the registry knows the tag by. */
int build_digest(struct worker *worker, const char *tag, char ret[80], struct err *err) {
    cleanup_str struct str out = STR_INIT(4096);
    const char *const args[] = {"image", "inspect", "--format", "{{range .RepoDigests}}{{.}} {{end}}",
                                tag,     NULL};
    if (build_engine(worker, args, 60, ERR_RETRY, &out, NULL, err) < 0)
        return -1;
    size_t repository = strlen(tag) - 65; /* ":" and 64 hex digits */
    for (const char *p = str_text(&out); (p = strstr(p, "@sha256:")); p++)
        if (strlen(p) >= 72 && (size_t)(p - str_text(&out)) >= repository &&
            strncmp(p - repository, tag, repository) == 0) {
            (void)snprintf(ret, 80, "%.71s", p + 1);
            return 0;
        }
    return err_set(err, ERR_RETRY, "the registry gave no digest for \"%s\"", tag);
}

int build_image_id(struct worker *worker, const char *repository, const char *digest, struct arena *arena,
                   const char **ret, struct err *err) {
    struct registry registry = image_registry(&worker->host->machine);
    struct manifest manifest;
    cleanup_free char *text = NULL;
    size_t n;
    if (registry_manifest(&registry, repository, digest, MANIFEST_TYPES, MANIFEST_BYTES_MAX, &text, &n, err) <
            0 ||
        manifest_parse(text, n, &manifest, err) < 0)
        return -1;
    *ret = arena_strdup(arena, manifest.config.digest);
    return 0;
}

/* Did the machine fail, and not the source? Docker tells it only in words. A command of the Dockerfile that
 * failed is the source's fault, whatever it printed, but for a disk that is full and a kill from outside. */
bool build_may_pass(const char *log) {
    static const char *const passing[] = {"Cannot connect to the Docker daemon",
                                          "error during connect",
                                          "connection refused",
                                          "connection reset",
                                          "i/o timeout",
                                          "handshake timeout",
                                          "unexpected EOF",
                                          "context canceled",
                                          "Service Unavailable"};
    const char *command = strstr(log, "returned a non-zero code: ");
    if (strstr(log, "no space left on device"))
        return true;
    if (command) {
        long code = strtol(strchr(command, ':') + 1, NULL, 10);
        return code == 128 + SIGKILL || code == 128 + SIGTERM;
    }
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (strstr(log, passing[i]))
            return true;
    return false;
}
