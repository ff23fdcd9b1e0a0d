/* What somebody carries: images and bundles to this machine, and what it has to say away from it. */
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "host/host.h"
#include "node/bundle.h"
#include "node/spool.h"
#include "step/image.h"
#include "step/image_import.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed(const struct host *host, const struct err *err) {
    (void)fprintf(stderr, "fairlead-%s: %s\n", host->conf.program, err->text);
    return 1;
}

/* ---- brought ---- */

struct bringing {
    struct node_identity node;
    struct arena arena;
    char path[PATH_MAX];
    const char *made_at; /* of the instructions; NULL: there were none */
    bool unread;         /* there are, and this machine has a link */
};

static int place(void *arg, const char *name, int64_t size, const char **ret_path, struct err *err) {
    struct bringing *bringing = arg;
    if (!str_eq(str_starts(name, "./") ? name + 2 : name, BUNDLE_RECORDS))
        return 0;
    bringing->unread = !bringing->node.by_file;
    if (bringing->unread)
        return 0;
    if (size > BUNDLE_BYTES_MAX)
        return err_set(err, ERR_PARK, "its instructions are larger than any can be");
    /* Among the blobs: what a kill leaves there is swept. */
    (void)snprintf(bringing->path, sizeof bringing->path, "%s/" IMAGE_IMPORTED "/" BUNDLE_RECORDS ".part",
                   bringing->node.state);
    *ret_path = bringing->path;
    return 0;
}

static void look(void *arg, const struct kcons_record *record) {
    (void)arg, (void)record;
}

/* Looked at before it lies there: whoever brings the wrong file is told. What it says is judged by who reads
 * it. */
static int placed(void *arg, const char *name, const char *path, struct err *err) {
    struct bringing *bringing = arg;
    cleanup_free char *text = NULL;
    size_t n;
    char whole[PATH_MAX];
    (void)name;
    if (file_read(path, BUNDLE_BYTES_MAX, &text, &n, err) < 0 ||
        bundle_read(text, n, bringing->node.id, &bringing->arena, look, NULL, &bringing->made_at, err) < 0)
        return -1;
    /* Synced: who is told that it is here has carried it for days. */
    (void)snprintf(whole, sizeof whole, "%s/" BUNDLE_ARRIVED, bringing->node.state);
    if (file_mkdirs(whole, 0700, err) < 0)
        return -1;
    (void)snprintf(whole, sizeof whole, "%s/" BUNDLE_ARRIVED "/%020lld.json", bringing->node.state,
                   (long long)clock_wall_us());
    return file_write(whole, text, n, 0600, err) < 0 ? -1 : file_remove(path, err);
}

int host_import(const struct host *host, const char *file) {
    struct bringing bringing = {0};
    const struct archive_taker taker = {.place = place, .placed = placed, .arg = &bringing};
    struct image_imported count;
    struct err err = {0};
    int rc = node_load(host->conf.machine.state, &bringing.node, &err);
    if (rc == 0)
        image_sweep(host->conf.machine.state);
    if (rc == 0)
        rc = image_import(host->conf.machine.state, file, &taker, &count, &err);
    if (bringing.made_at)
        printf("instructions of %s are here: the program does them when it runs; \"status\" says how far it "
               "is\n",
               bringing.made_at);
    if (rc == 0 && bringing.unread)
        printf("instructions are in it, too: this machine has a link, and takes them from nowhere else\n");
    if (rc == 0 && (count.blobs || !bringing.made_at))
        printf(
            "%zu pieces of images are here, %lld MB: an app that waits for one of them goes on within half a "
            "minute\n",
            count.blobs, (long long)(count.bytes / 1000000));
    arena_release(&bringing.arena);
    return rc < 0 ? failed(host, &err) : 0;
}

/* ---- carried away ---- */

static int write_json(const char *file, const json_t *json, struct err *err) {
    cleanup_free char *text = json_text(json);
    return file_write(file, text, strlen(text), 0600, err);
}

int host_export(const struct host *host, const char *file) {
    struct node_identity node;
    struct err err = {0};
    cleanup_json json_t *said = NULL;
    size_t n = 0;
    int rc = node_load(host->conf.machine.state, &node, &err);
    if (rc == 0 && !node.by_file)
        rc = err_set(&err, ERR_PARK, "this machine has a link, and says by it what there is to say");
    if (rc == 0)
        rc = spool_export(&node, &said, &n, &err);
    if (rc == 0)
        rc = write_json(file, said, &err);
    if (rc < 0)
        return failed(host, &err);
    printf("the last word about %zu things is in %s: \"fairlead node reports\" takes it. States, "
           "reasons and the last lines of what failed to start are in it; no passwords\n",
           n, file);
    return 0;
}

/* ---- joining ---- */

int host_enrol_ask(const struct host *host, const char *token, const char *file) {
    struct err err = {0};
    struct recovery recovery = {0};
    cleanup_json json_t *asked = NULL;
    if (host_find_recovery(host, &recovery, &err) < 0 ||
        node_enrol_ask(host->conf.machine.state, token, &recovery.of, &asked, &err) < 0 ||
        write_json(file, asked, &err) < 0)
        return failed(host, &err);
    printf("carry %s to your provider (\"fairlead node enrol\"). Its code is in it: whoever has the file can "
           "join in this machine's place, and then it cannot. With what comes back: enrol TOKEN FILE\n",
           file);
    return 0;
}

int host_enrol_by(const struct host *host, const char *token, const char *file) {
    struct err err = {0};
    struct node_identity node;
    struct recovery recovery = {0};
    cleanup_free char *text = NULL;
    size_t n;
    cleanup_json json_t *answer = NULL;
    if (host_find_recovery(host, &recovery, &err) < 0 || file_read(file, 65536, &text, &n, &err) < 0 ||
        !(answer = json_parse(text, n, &err)) ||
        node_enrol_answer(host->conf.machine.state, token, answer, &recovery.of, &node, &err) < 0)
        return failed(host, &err);
    host_tell_enrolled(host, &node, &recovery);
    return 0;
}
