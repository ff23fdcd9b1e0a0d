/* Images in the registry that nothing runs: who operates it takes them out (`fairlead registry prune`).
 * Marking comes first, so a run that was cut short is ended by the next one. */
#include "coordinator/api/api.h"
#include "sql/queries.h"

struct pruning {
    int64_t days, most;
    bool look;
};

static int prune(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                 struct err *err) {
    const struct pruning *pruning = data;
    struct arena *arena = &call->request->arena;
    struct pg_params params = {.arena = arena};
    (void)seed;
    pg_params_int(&params, pruning->days);
    pg_params_text(&params, pruning->look ? "true" : "false");
    pg_params_int(&params, pruning->most);
    /* Who begins to wait for a build writes its work, or finds it: not while it is taken away. */
    if (!pruning->look && pg_script(pg, "lock table works in share row exclusive mode", err) < 0)
        return -1;
    cleanup_result PGresult *found = pg_run(pg, query_images_prune, &params, err);
    if (!found)
        return -1;
    cleanup_json json_t *items = json_array();
    for (int i = 0; i < PQntuples(found); i++)
        (void)json_array_append_new(items, json_pack("{s:s}", "image", pg_text(found, i, 0)));
    cleanup_json json_t *body = json_pack("{s:O}", "items", items);
    cleanup_free char *text = json_text(body);
    *ret = (struct api_done){.status = 200, .body = arena_strdup(arena, text)};
    return 0;
}

void images_prune(struct api_call *call) {
    static const struct api_once once = {.kind = "images prune", .work = prune};
    cleanup_json json_t *body = api_body(call);
    if (!body)
        return;
    struct pruning *pruning = arena_new(&call->request->arena, struct pruning);
    *pruning = (struct pruning){.days = json_int(body, "days", 30),
                                .most = json_int(body, "most", 1000),
                                .look = json_is_true(json_object_get(body, "look"))};
    api_once(call, &once, pruning);
}

static int forget(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                  struct err *err) {
    const struct vec *images = data;
    struct pg_params params = {.arena = &call->request->arena};
    (void)seed;
    pg_params_texts(&params, images->items, images->n);
    cleanup_result PGresult *gone = pg_run(pg, query_images_pruned, &params, err);
    *ret = (struct api_done){.status = 204};
    return gone ? 0 : -1;
}

void images_pruned(struct api_call *call) {
    static const struct api_once once = {.kind = "images pruned", .work = forget};
    struct arena *arena = &call->request->arena;
    struct vec *images = arena_new(arena, struct vec);
    size_t i;
    json_t *image;
    cleanup_json json_t *body = api_body(call);
    if (!body)
        return;
    json_array_foreach(json_object_get(body, "images"), i, image) {
        *vec_add(arena, images, const char *) = arena_strdup(arena, json_string_value(image));
    }
    api_once(call, &once, images);
}
