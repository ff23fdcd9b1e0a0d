#include "node/spool.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "node/envelope.h"
#include "node/reporter.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORT_MAX 100000 /* beyond what a step says (result.h) */

/* False: it is not kept. */
static bool name_of(const Fairlead__V1__Report *report, char out[100]) {
    const Fairlead__V1__DocumentReport *document = report->document;
    char hex[UUID_HEX_SIZE];
    if (report->body_case == FAIRLEAD__V1__REPORT__BODY_PRESENCE) {
        (void)snprintf(out, 100, "presence");
        return true;
    }
    if (report->body_case != FAIRLEAD__V1__REPORT__BODY_DOCUMENT || document->instance.len != 16)
        return false;
    hex_encode(hex, document->instance.data, 16);
    (void)snprintf(out, 100, "%s.%.32s.%.8s", hex, document->kind, document->set);
    return true;
}

static Fairlead__V1__Report *read_report(const char *path, struct err *err) {
    cleanup_free char *bytes = NULL;
    size_t n;
    if (file_read(path, REPORT_MAX, &bytes, &n, err) < 0)
        return NULL;
    Fairlead__V1__Report *report = fairlead__v1__report__unpack(NULL, n, (const uint8_t *)bytes);
    if (!report)
        (void)err_set(err, ERR_PARK, "\"%s\" cannot be read", path);
    return report;
}

static bool has(Fairlead__V1__SealedSecret *const *boxes, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(boxes[i]->name, name))
            return true;
    return false;
}

/* Those of `now`, and of `before` what is not said again. */
static void merge(Fairlead__V1__SealedSecret **before, size_t before_n, Fairlead__V1__SealedSecret ***now,
                  size_t *now_n, struct arena *arena) {
    struct vec all = {0};
    for (size_t i = 0; i < *now_n; i++)
        *vec_add(arena, &all, Fairlead__V1__SealedSecret *) = (*now)[i];
    for (size_t i = 0; i < before_n; i++)
        if (!has(*now, *now_n, before[i]->name))
            *vec_add(arena, &all, Fairlead__V1__SealedSecret *) = before[i];
    *now = all.items;
    *now_n = all.n;
}

static void leave_out_drift(Fairlead__V1__DocumentReport *document, struct arena *arena) {
    struct vec facts = {0};
    for (size_t i = 0; i < document->n_facts; i++)
        if (!str_eq(document->facts[i]->key, "drift"))
            *vec_add(arena, &facts, Fairlead__V1__KeyValue *) = document->facts[i];
    document->facts = facts.items;
    document->n_facts = facts.n;
}

static int write_report(const char *path, const Fairlead__V1__Report *report, struct arena *arena,
                        struct err *err) {
    size_t n = fairlead__v1__report__get_packed_size(report);
    if (n > REPORT_MAX)
        return err_set(err, ERR_DEAD, "a report is too large to be kept");
    uint8_t *bytes = arena_alloc(arena, n + 1);
    fairlead__v1__report__pack(report, bytes);
    return file_write(path, bytes, n, 0600, err);
}

int spool_keep(const char *state, const Fairlead__V1__Report *report, struct err *err) {
    char path[PATH_MAX], name[100];
    struct arena arena = {0};
    Fairlead__V1__Report copy = *report, *before = NULL;
    Fairlead__V1__DocumentReport document;
    struct err ignored = {0};
    if (!name_of(report, name))
        return 0;
    (void)snprintf(path, sizeof path, "%s/spool", state);
    if (file_mkdirs(path, 0700, err) < 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s/spool/%s", state, name);
    copy.at_us = clock_wall_us();
    if (copy.body_case == FAIRLEAD__V1__REPORT__BODY_DOCUMENT) {
        document = *report->document;
        copy.document = &document;
        leave_out_drift(&document, &arena);
        before = file_exists(path) ? read_report(path, &ignored) : NULL;
    }
    if (before && before->document)
        merge(before->document->recovery, before->document->n_recovery, &document.recovery,
              &document.n_recovery, &arena);
    int rc = write_report(path, &copy, &arena, err);
    fairlead__v1__report__free_unpacked(before, NULL);
    arena_release(&arena);
    return rc;
}

void spool_doubt(const char *state, char out[16]) {
    char path[PATH_MAX];
    struct err ignored = {0};
    *out = '\0';
    (void)snprintf(path, sizeof path, "%s/spool/presence", state);
    Fairlead__V1__Report *report = file_exists(path) ? read_report(path, &ignored) : NULL;
    if (report && report->presence)
        (void)snprintf(out, 16, "%.15s", report->presence->doubt);
    fairlead__v1__report__free_unpacked(report, NULL);
}

/* ---- export ---- */

struct exporting {
    const struct node_identity *node;
    struct arena arena;
    struct uuid stream;
    struct vec reports; /* Fairlead__V1__Report *, of the next envelope */
    size_t bytes;       /* of them */
    uint64_t n;         /* of all */
    json_t *envelopes;
};

static void free_reports(struct exporting *exporting) {
    for (size_t i = 0; i < exporting->reports.n; i++)
        fairlead__v1__report__free_unpacked(*vec_at(&exporting->reports, Fairlead__V1__Report *, i), NULL);
    exporting->reports.n = exporting->bytes = 0;
}

static void add_envelope(struct exporting *exporting) {
    Fairlead__V1__Reports reports = FAIRLEAD__V1__REPORTS__INIT;
    struct arena arena = {0};
    struct uuid id = exporting->node->id;
    size_t n;
    if (!exporting->reports.n)
        return;
    reports.node = (ProtobufCBinaryData){sizeof id.b, id.b};
    reports.stream = (ProtobufCBinaryData){sizeof exporting->stream.b, exporting->stream.b};
    reports.n_reports = exporting->reports.n;
    reports.reports = exporting->reports.items;
    size_t packed_n = fairlead__v1__reports__get_packed_size(&reports);
    uint8_t *packed = arena_alloc(&arena, packed_n);
    fairlead__v1__reports__pack(&reports, packed);
    void *envelope = envelope_make(&exporting->node->keys, ENVELOPE_REPORTS, packed, packed_n, &arena, &n);
    (void)json_array_append_new(exporting->envelopes, json_string(sign_base64(envelope, n, &arena)));
    free_reports(exporting);
    arena_release(&arena);
}

static int add_report(const char *name, void *arg, struct err *err) {
    struct exporting *exporting = arg;
    char path[PATH_MAX];
    struct err unread = {0};
    (void)err;
    if (strstr(name, ".tmp.")) /* being written, or left by who died over it */
        return 0;
    (void)snprintf(path, sizeof path, "%s/spool/%s", exporting->node->state, name);
    Fairlead__V1__Report *report = read_report(path, &unread);
    if (!report) { /* the rest is worth carrying */
        log_warn("what was to be said is left out", LOG_S("error", unread.text));
        return 0;
    }
    size_t size = fairlead__v1__report__get_packed_size(report) + 30; /* its head, and what n may grow by */
    if (exporting->bytes + size > SPOOL_BYTES_MAX - 1000)
        add_envelope(exporting);
    report->n = ++exporting->n;
    exporting->bytes += size;
    *vec_add(&exporting->arena, &exporting->reports, Fairlead__V1__Report *) = report;
    return 0;
}

int spool_export(const struct node_identity *node, json_t **ret, size_t *ret_n, struct err *err) {
    char folder[PATH_MAX], id[UUID_HEX_SIZE], stamp[28];
    struct exporting exporting = {.node = node, .envelopes = json_array()};
    (void)snprintf(folder, sizeof folder, "%s/spool", node->state);
    int rc = reporter_next_stream(node->state, &exporting.stream, err);
    if (rc == 0 && file_exists(folder))
        rc = file_list(folder, add_report, &exporting, err);
    if (rc == 0) {
        add_envelope(&exporting);
        *ret = json_pack("{s:s, s:s, s:s, s:O}", "node", uuid_hex(node->id, id), "name", node->name,
                         "made_at", clock_text(clock_wall_us(), stamp), "reports", exporting.envelopes);
        *ret_n = exporting.n;
    }
    free_reports(&exporting);
    json_decref(exporting.envelopes);
    arena_release(&exporting.arena);
    return rc;
}
