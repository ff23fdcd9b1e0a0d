/* What a build is given beside its context: its base, and arguments. */
#include "base/file.h"
#include "base/hash.h"
#include "worker/build_own.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CA_MAX 1048576

static void add_word(struct arena *arena, struct vec *words, const char *word) {
    *vec_add(arena, words, const char *) = word;
}

static void add_arg(struct arena *arena, struct vec *words, const char *name, const char *value) {
    add_word(arena, words, "--build-arg");
    add_word(arena, words, arena_printf(arena, "%s=%s", name, value));
}

int build_add_args(const struct worker *worker, const Fairlead__V1__Build *build, const char *base,
                   struct vec *words, struct arena *arena, struct err *err) {
    const struct worker_conf *conf = &worker->conf;
    const struct {
        const char *name, *value;
    } network[] = {{"http_proxy", conf->proxy},  {"HTTP_PROXY", conf->proxy},  {"https_proxy", conf->proxy},
                   {"HTTPS_PROXY", conf->proxy}, {"no_proxy", conf->no_proxy}, {"NO_PROXY", conf->no_proxy}};
    if (build->n_args > BUILD_ARGS_MAX)
        return err_set(err, ERR_PARK, "The build has more than %d arguments.", BUILD_ARGS_MAX);
    for (size_t i = 0; i < sizeof network / sizeof *network; i++)
        if (*network[i].value)
            add_arg(arena, words, network[i].name, network[i].value);
    for (const char *at = conf->build_args; *at; at += strcspn(at, ","), at += *at == ',') {
        add_word(arena, words, "--build-arg");
        add_word(arena, words, arena_strndup(arena, at, strcspn(at, ",")));
    }
    add_arg(arena, words, "BASE", base);
    for (size_t i = 0; i < build->n_args; i++)
        add_arg(arena, words, build->args[i]->key, build->args[i]->value);
    return 0;
}

static const char dockerfile[] = "ARG BASE\n"
                                 "FROM $BASE\n"
                                 "COPY ca.crt /usr/local/share/ca-certificates/fairlead-build.crt\n"
                                 "RUN mkdir -p /etc/ssl/certs && cat "
                                 "/usr/local/share/ca-certificates/fairlead-build.crt "
                                 ">> /etc/ssl/certs/ca-certificates.crt\n";

static int write_context(const char *folder, const char *ca, size_t n, struct err *err) {
    char path[600];
    if (file_remove_tree(folder, err) < 0 || file_mkdirs(folder, 0700, err) < 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s/ca.crt", folder);
    if (file_write(path, ca, n, 0644, err) < 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s/Dockerfile", folder);
    return file_write(path, dockerfile, sizeof dockerfile - 1, 0644, err);
}

int build_base(struct worker *worker, const char *wanted, struct arena *arena, const char **ret,
               struct str *log, struct err *err) {
    cleanup_free char *ca = NULL;
    size_t n;
    char hex[HASH_HEX_SIZE];
    *ret = arena_printf(arena, "%s/%s", worker->conf.registry, wanted);
    if (!*worker->conf.build_ca)
        return 0;
    if (file_read(worker->conf.build_ca, CA_MAX, &ca, &n, err) < 0) {
        err->cls = ERR_RETRY; /* the builder's own configuration, not the source */
        return err_wrap(err, "option build-ca");
    }
    hash_hex(hash_texts((const char *const[]){wanted, ca, dockerfile, NULL}), hex);
    const char *tag = arena_printf(arena, "fairlead-base:%.32s", hex);
    const char *folder =
        arena_printf(arena, "%s/builds/base.%.32s.%d", worker->conf.state, hex, (int)gettid());
    const char *const look[] = {"image", "inspect", tag, NULL};
    const char *const make[] = {
        "build", "--force-rm", "--network", "none", "--build-arg", arena_printf(arena, "BASE=%s", *ret),
        "-t",    tag,          folder,      NULL};
    *ret = tag;
    if (build_engine(worker, look, 60, ERR_RETRY, NULL, NULL, NULL) == 0)
        return 0;
    if (write_context(folder, ca, n, err) < 0)
        return -1;
    return build_engine(worker, make, 300, ERR_RETRY, NULL, log, err);
}
