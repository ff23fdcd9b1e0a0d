/* The gate (deploy/nginx/gate.conf) has seen a node's certificate and asks what the node may have of the
 * registry. It names subject, method and path in headers; whoever else asks learns nothing that it could use.
 */
#include "base/str.h"
#include "coordinator/api/api.h"
#include "coordinator/authority.h"
#include "sql/queries.h"

#include <stdlib.h>
#include <string.h>

#define SUBJECT_START "CN=" PRINCIPAL_NODE
#define SUBJECT_END ",O=" AUTHORITY_NODES

struct wish {
    struct uuid node;
    int64_t enrolment;
    char *repository; /* "": none, the question whether there is a registry */
    bool writes;
};

/* "CN=node.<id>.<enrolment>,O=nodes" (RFC 2253), as the authority names nodes. */
static bool read_subject(const char *text, struct wish *ret) {
    char id[UUID_HEX_SIZE], number[24];
    size_t n = strlen(text);
    if (!str_starts(text, SUBJECT_START) || n < sizeof SUBJECT_START + 33 + sizeof SUBJECT_END - 1 ||
        !str_eq(text + n - (sizeof SUBJECT_END - 1), SUBJECT_END))
        return false;
    const char *at = text + sizeof SUBJECT_START - 1;
    size_t number_n = n - (sizeof SUBJECT_START - 1) - 33 - (sizeof SUBJECT_END - 1);
    if (at[32] != '.' || number_n >= sizeof number)
        return false;
    (void)snprintf(id, sizeof id, "%.32s", at);
    (void)snprintf(number, sizeof number, "%.*s", (int)number_n, at + 33);
    return uuid_parse(id, &ret->node) && str_to_int(number, 1, INT64_MAX, &ret->enrolment);
}

/* "/v2/<repository>/manifests/...", ".../blobs/...": the last of these words ends it (OCI distribution 1.1).
 */
static bool read_path(struct arena *arena, const char *path, struct wish *ret) {
    static const char *const words[] = {"/manifests/", "/blobs/"};
    const char *end = NULL;
    if (!str_starts(path, "/v2/"))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (const char *p = path + 3; (p = strstr(p, words[i])); p++)
            end = p > end ? p : end;
    if (!end && path[4])
        return false;
    ret->repository = end && end > path + 4 ? arena_strndup(arena, path + 4, (size_t)(end - path - 4)) : "";
    return end ? *ret->repository != '\0' : true;
}

static void judge(struct api_call *call, struct pg *pg) {
    const struct wish *wish = call->data;
    struct err err = {0};
    struct pg_params params = {.arena = &call->request->arena};
    pg_params_uuid(&params, wish->node);
    pg_params_int(&params, wish->enrolment);
    pg_params_text(&params, wish->repository);
    pg_params_text(&params, wish->writes ? "true" : "false");
    cleanup_result PGresult *may = pg_run(pg, query_images_admit, &params, &err);
    if (!may)
        api_refuse_error(call->request, &err);
    else if (PQntuples(may))
        api_answer(call->request, 204, NULL);
    else
        api_refuse(call->request, 403, "not_yours", "This node has no app that is made of that image.");
}

void image_admit(struct api_call *call) {
    struct arena *arena = &call->request->arena;
    struct wish *wish = arena_new(arena, struct wish);
    const char *subject = httpd_header(call->request, "X-Fairlead-Subject"),
               *method = httpd_header(call->request, "X-Fairlead-Method"),
               *path = httpd_header(call->request, "X-Fairlead-Path");
    if (!subject || !method || !path || !read_subject(subject, wish) || !read_path(arena, path, wish)) {
        api_refuse(call->request, 403, "not_yours", "No node of ours asks so.");
        return;
    }
    wish->writes = !str_eq(method, "GET") && !str_eq(method, "HEAD");
    call->data = wish;
    api_at_desk(call, judge);
}
