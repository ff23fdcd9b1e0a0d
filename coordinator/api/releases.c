/* Releases: what becomes of one that is registered. Its contents never change. */
#include "coordinator/api/api.h"
#include "model/source.h"
#include "sql/queries.h"

/* Its sources are resolved now, and so pinned; the clock orders it. */
int release_made(struct api_call *call, struct pg *pg, struct uuid id, const char *body, struct err *err) {
    struct arena *arena = &call->request->arena;
    struct pg_params params = {.arena = arena};
    struct vec keys = {0}, works = {0};
    cleanup_json json_t *sent = json_loads(body, 0, NULL);
    struct release *release =
        release_parse(id, json_str(sent, "app"), NULL, json_object_get(sent, "spec"), "", err);
    if (!release)
        return -1;
    for (size_t i = 0; i < release_images(release); i++) {
        const char *image = release_image_name(release, i);
        if (source_follows(release, image))
            continue;
        *vec_add(arena, &keys, const char *) = source_resolve_key(release, image, arena);
        *vec_add(arena, &works, const char *) = source_resolve_params(release, image, arena);
    }
    release_free(release);
    pg_params_texts(&params, keys.items, keys.n);
    pg_params_texts(&params, works.items, works.n);
    cleanup_result PGresult *ordered = pg_run(pg, query_releases_resolve, &params, err);
    return ordered ? 0 : -1;
}

struct offer {
    const char *key; /* APP/VERSION */
    bool withdrawn;  /* of a withdrawal; false: it is taken back */
};

static int not_found(struct api_call *call, const struct offer *offer, struct api_done *ret) {
    api_done_refusal(call, ret, 404, "not_found",
                     arena_printf(&call->request->arena, "There is no release \"%.80s\".", offer->key));
    return 0;
}

/* As it is now. */
static int show(struct api_call *call, struct pg *pg, const struct offer *offer, struct api_done *ret,
                struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    pg_params_text(&params, offer->key);
    cleanup_result PGresult *found = pg_run(pg, query_releases_get, &params, err);
    if (!found)
        return -1;
    if (PQntuples(found) == 0)
        return not_found(call, offer, ret);
    *ret =
        (struct api_done){.status = 200, .body = arena_strdup(&call->request->arena, pg_text(found, 0, 1))};
    return 0;
}

static int withdraw(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                    struct err *err) {
    const struct offer *offer = data;
    struct pg_params params = {.arena = &call->request->arena};
    (void)seed;
    pg_params_text(&params, offer->key);
    pg_params_text(&params, offer->withdrawn ? "true" : "false");
    cleanup_result PGresult *changed = pg_run(pg, query_releases_withdraw, &params, err);
    return changed ? show(call, pg, offer, ret, err) : -1;
}

static int make_default(struct api_call *call, struct pg *pg, void *data, struct uuid seed,
                        struct api_done *ret, struct err *err) {
    const struct offer *offer = data;
    struct pg_params params = {.arena = &call->request->arena};
    (void)seed;
    pg_params_text(&params, offer->key);
    cleanup_result PGresult *changed = pg_run(pg, query_releases_default, &params, err);
    if (!changed || show(call, pg, offer, ret, err) < 0)
        return -1;
    if (PQntuples(changed) == 0 && ret->status == 200)
        api_done_refusal(call, ret, 409, "withdrawn",
                         arena_printf(&call->request->arena,
                                      "The release \"%.80s\" is withdrawn. Take the withdrawal back first.",
                                      offer->key));
    return 0;
}

static void offer_once(struct api_call *call, const struct api_once *once, bool withdrawn) {
    struct offer *offer = arena_new(&call->request->arena, struct offer);
    *offer = (struct offer){call->rest, withdrawn};
    api_once(call, once, offer);
}

void release_withdraw(struct api_call *call) {
    static const struct api_once once = {.kind = "withdraw", .work = withdraw};
    offer_once(call, &once, true);
}

void release_offer(struct api_call *call) {
    static const struct api_once once = {.kind = "offer", .work = withdraw};
    offer_once(call, &once, false);
}

void release_default(struct api_call *call) {
    static const struct api_once once = {.kind = "default", .work = make_default};
    offer_once(call, &once, false);
}
