/* Records: customers, plans, tenants, planes, nodes, sizes, releases, dead letters. Rows that are created,
 * read and deleted; nothing follows from them, so no decision does. */
#include "base/clock.h"
#include "base/str.h"
#include "coordinator/api/api.h"
#include "model/template.h"
#include "sql/queries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIND(plural, one, needs)                                                                             \
    const struct record_kind record_##plural = {.name = one,                                                 \
                                                .create = query_##plural##_create,                           \
                                                .get = query_##plural##_get,                                 \
                                                .list = query_##plural##_list,                               \
                                                .blockers = query_##plural##_blockers,                       \
                                                .del = query_##plural##_delete,                              \
                                                .parents = needs,                                            \
                                                .path = "/v1/" #plural}
KIND(plans, "plan", "");
KIND(customers, "customer", "its plan");
KIND(tenants, "tenant", "its customer");
KIND(planes, "plane",
     "the customer of a dedicated or private plane (a shared one has none), and a recovery key for any but a "
     "private one");
KIND(nodes, "node", "its plane, and in a private one no other roles than host, edge and prober");
KIND(sizes, "size", "its plane");
const struct record_kind record_apps = {
    .name = "app", .get = query_apps_get, .list = query_apps_list, .path = "/v1/apps"};
const struct record_kind record_releases = {.name = "release",
                                            .create = query_releases_create,
                                            .get = query_releases_get,
                                            .list = query_releases_list,
                                            .path = "/v1/releases",
                                            .same = query_releases_same,
                                            .made = release_made};
const struct record_kind record_roles = {
    .name = "role", .get = query_access_roles_get, .list = query_access_roles_list, .path = "/v1/roles"};
const struct record_kind record_members = {
    .name = "member", .get = query_members_get, .list = query_members_list, .path = "/v1/members"};
const struct record_kind record_identity_providers = {.name = "identity provider",
                                                      .get = query_identity_providers_get,
                                                      .list = query_identity_providers_list,
                                                      .del = query_identity_providers_delete,
                                                      .path = "/v1/identity-providers"};
const struct record_kind record_key_sets = {
    .name = "key set", .list = query_key_sets_list, .path = "/v1/key-sets"};
const struct record_kind record_dead_letters = {.name = "dead letter",
                                                .get = query_dead_letters_get,
                                                .list = query_dead_letters_list,
                                                .del = query_dead_letters_delete,
                                                .path = "/v1/dead-letters"};

static void list(struct api_call *call, struct pg *pg) {
    const struct record_kind *kind = call->data;
    struct err err = {0};
    struct pg_params params = {.arena = &call->request->arena};
    const int64_t limit = 100;
    pg_params_text(&params, call->rest);
    pg_params_int(&params, limit + 1);
    cleanup_result PGresult *res = pg_run(pg, kind->list, &params, &err);
    if (!res) {
        api_refuse_error(call->request, &err);
        return;
    }
    api_answer_page(call, res, (int)limit);
}

void record_list(struct api_call *call) {
    const char *after = httpd_query(call->request, "after");
    call->rest = after ? after : "";
    api_read(call, list);
}

static void get(struct api_call *call, struct pg *pg) {
    const struct record_kind *kind = call->data;
    struct err err = {0};
    struct pg_params params = {.arena = &call->request->arena};
    char sentence[160];
    pg_params_text(&params, call->rest);
    cleanup_result PGresult *res = pg_run(pg, kind->get, &params, &err);
    if (!res) {
        api_refuse_error(call->request, &err);
    } else if (PQntuples(res) == 0) {
        (void)snprintf(sentence, sizeof sentence, "There is no %s \"%.80s\".", kind->name, call->rest);
        api_refuse(call->request, 404, "not_found", sentence);
    } else {
        api_answer(call->request, 200, mem_strdup(pg_text(res, 0, 1)));
    }
}

void record_get(struct api_call *call) {
    api_read(call, get);
}

/* ---- create ---- */

struct creation {
    const struct record_kind *kind;
    const char *text; /* the body */
    const char *key;  /* how the record is found */
};

static const char *key_of(const struct record_kind *kind, const json_t *body, struct arena *arena) {
    const char *name = json_str(body, "name"), *app = json_str(body, "app");
    const char *parent = app                          ? app
                         : json_str(body, "customer") ? json_str(body, "customer")
                                                      : json_str(body, "plane");
    bool nested = kind == &record_tenants || kind == &record_sizes || kind == &record_releases;
    if (app)
        name = json_str(json_object_get(body, "spec"), "version");
    return nested ? arena_printf(arena, "%s/%s", parent, name) : arena_strdup(arena, name);
}

/* What stands there (as `id`) never changes: the same once more, or other contents under its name? What
 * follows from the same may have been left undone. */
static int compare(struct api_call *call, struct pg *pg, const struct creation *creation, struct uuid id,
                   struct api_done *ret, struct err *err) {
    struct arena *arena = &call->request->arena;
    struct pg_params params = {.arena = arena};
    pg_params_text(&params, creation->key);
    pg_params_text(&params, creation->text);
    cleanup_result PGresult *same = pg_run(pg, creation->kind->same, &params, err);
    if (!same)
        return -1;
    bool is_same = PQntuples(same) && pg_bool(same, 0, 0);
    if (is_same && creation->kind->made && creation->kind->made(call, pg, id, creation->text, err) < 0)
        return -1;
    if (is_same)
        api_done_refusal(
            call, ret, 409, "exists",
            arena_printf(arena, "There is a %s \"%s\" already.", creation->kind->name, creation->key));
    else
        api_done_refusal(call, ret, 409, "other_contents",
                         arena_printf(arena,
                                      "There is a %s \"%s\" already, with other contents. A version stays "
                                      "what it is: give the new contents a version of their own.",
                                      creation->kind->name, creation->key));
    return 0;
}

static int create(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                  struct err *err) {
    const struct creation *creation = data;
    const struct record_kind *kind = creation->kind;
    struct arena *arena = &call->request->arena;
    struct pg_params params = {.arena = arena}, find = {.arena = arena};
    pg_params_uuid(&params, seed);
    pg_params_text(&params, creation->text);
    pg_params_text(&find, creation->key);
    cleanup_result PGresult *made = pg_run(pg, kind->create, &params, err);
    cleanup_result PGresult *found = made ? pg_run(pg, kind->get, &find, err) : NULL;
    if (!found)
        return -1;
    if (PQntuples(made) == 1 && kind->made && kind->made(call, pg, seed, creation->text, err) < 0)
        return -1;
    if (PQntuples(made) == 1 && PQntuples(found) == 1)
        *ret = (struct api_done){.status = 201,
                                 .body = arena_strdup(arena, pg_text(found, 0, 1)),
                                 .location = arena_printf(arena, "%s/%s", kind->path, creation->key)};
    else if (PQntuples(found) && kind->same)
        return compare(call, pg, creation, pg_uuid(found, 0, 0), ret, err);
    else if (PQntuples(found))
        api_done_refusal(call, ret, 409, "exists",
                         arena_printf(arena, "There is a %s \"%s\" already.", kind->name, creation->key));
    else
        api_done_refusal(call, ret, 422, "unknown_parent",
                         arena_printf(arena, "The %s \"%s\" needs something that is not there: %s.",
                                      kind->name, creation->key, kind->parents));
    return 0;
}

/* The schema says what a spec looks like; this, whether it makes sense. */
static bool is_sound(const json_t *body, struct err *err) {
    struct release *release = release_parse(uuid_make(clock_wall_us()), json_str(body, "app"), NULL,
                                            json_object_get(body, "spec"), json_str(body, "template"), err);
    bool sound =
        release && (release->needs & NEED_NOOP || template_check(release->template, release->spec, err) == 0);
    release_free(release);
    return sound;
}

void record_create(struct api_call *call) {
    static const struct api_once plain = {.kind = "record", .work = create},
                                 followed = {.kind = "record", .work = create, .stored = api_wake_clock};
    const struct record_kind *kind = call->data;
    struct arena *arena = &call->request->arena;
    struct creation *creation = arena_new(arena, struct creation);
    struct err err = {0};
    cleanup_json json_t *body = api_body(call);
    if (!body)
        return;
    if (kind == &record_releases && !is_sound(body, &err)) {
        api_refuse(call->request, 422, "bad_release", err.text);
        return;
    }
    cleanup_free char *text = json_text(body);
    *creation = (struct creation){kind, arena_strdup(arena, text), key_of(kind, body, arena)};
    api_once(call, kind->made ? &followed : &plain, creation);
}

/* ---- delete ---- */

/* The row's identity, or it is refused: 1, 0. */
static int find(struct api_call *call, struct pg *pg, const struct record_kind *kind, struct uuid *ret_id,
                struct api_done *ret, struct err *err) {
    struct arena *arena = &call->request->arena;
    struct pg_params params = {.arena = arena};
    pg_params_text(&params, call->rest);
    cleanup_result PGresult *found = pg_run(pg, kind->get, &params, err);
    if (!found)
        return -1;
    if (PQntuples(found) == 1) {
        *ret_id = pg_uuid(found, 0, 0);
        ret->before = arena_strdup(arena, pg_text(found, 0, 1));
        return 1;
    }
    api_done_refusal(call, ret, 404, "not_found",
                     arena_printf(arena, "There is no %s \"%.80s\".", kind->name, call->rest));
    return 0;
}

/* Nobody uses it, or it is refused: 1, 0. */
static int is_free(struct api_call *call, struct pg *pg, const struct record_kind *kind, struct uuid id,
                   struct api_done *ret, struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    if (!kind->blockers)
        return 1;
    pg_params_uuid(&params, id);
    cleanup_result PGresult *blockers = pg_run(pg, kind->blockers, &params, err);
    if (!blockers)
        return -1;
    if (PQntuples(blockers) == 0)
        return 1;
    cleanup_str struct str sentence = STR_INIT(2000);
    str_addf(&sentence, "The %s \"%s\" is in use by:", kind->name, call->rest);
    for (int i = 0; i < PQntuples(blockers); i++)
        str_addf(&sentence, "%s %s", i ? "," : "", pg_text(blockers, i, 0));
    str_adds(&sentence, ". Delete these first.");
    api_done_refusal(call, ret, 409, "in_use", str_text(&sentence));
    return 0;
}

static int delete_one(struct api_call *call, struct pg *pg, void *data, struct uuid seed,
                      struct api_done *ret, struct err *err) {
    const struct record_kind *kind = call->data;
    struct pg_params params = {.arena = &call->request->arena};
    struct uuid id;
    (void)data, (void)seed;
    int rc = find(call, pg, kind, &id, ret, err);
    if (rc > 0)
        rc = is_free(call, pg, kind, id, ret, err);
    if (rc <= 0)
        return rc;
    pg_params_uuid(&params, id);
    cleanup_result PGresult *gone = pg_run(pg, kind->del, &params, err);
    ret->status = 204;
    return gone ? 0 : -1;
}

void record_delete(struct api_call *call) {
    static const struct api_once once = {.kind = "delete", .work = delete_one};
    api_once(call, &once, NULL);
}
