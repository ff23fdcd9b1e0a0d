/* Creates in a batch of the engine: which release and plane each means, what it may look at, and the rows
 * that it makes. Host names are in create_names.c, claims and answers in requests.c. */
#include "base/json.h"
#include "base/str.h"
#include "coordinator/engine_own.h"
#include "coordinator/store/columns.h"
#include "model/labels.h"
#include "sql/queries.h"

#include <string.h>

/* ---- before BEGIN: which release and plane a create means ---- */

static int send_planes(struct engine_batch *batch, const struct vec *names, struct err *err) {
    struct pg_params params = {.arena = batch->base.arena};
    pg_params_texts(&params, names->items, names->n);
    pg_params_uuids(&params, NULL, 0);
    return pg_send(batch->base.pg, query_planes_find, &params, err);
}

struct uuid create_identity(const struct input *input) {
    return uuid_derive(input->seed, 1);
}

static int read_planes(struct engine_batch *batch, struct err *err) {
    struct vec planes = {0};
    cleanup_result PGresult *res = pg_next(batch->base.pg, err);
    if (!res)
        return -1;
    pg_rows(res, plane_columns, plane_columns_n, sizeof(struct plane), batch->base.arena, &planes);
    for (size_t i = 0; i < batch->creates.n; i++) {
        struct batch_input *in = *vec_at(&batch->creates, struct batch_input *, i);
        for (size_t k = 0; k < planes.n; k++)
            if (str_eq(vec_at(&planes, struct plane, k)->name, in->input->create.plane))
                in->plane = vec_at(&planes, struct plane, k);
    }
    return 0;
}

static int send_releases(struct engine_batch *batch, const struct vec *apps, const struct vec *versions,
                         struct err *err) {
    struct pg_params params = {.arena = batch->base.arena};
    pg_params_texts(&params, apps->items, apps->n);
    pg_params_texts(&params, versions->items, versions->n);
    return pg_send(batch->base.pg, query_releases_find, &params, err);
}

/* Which release each means; a spec is fetched once. */
static int take_releases(struct engine_batch *batch, PGresult *found, struct err *err) {
    struct vec ids = {0};
    for (int row = 0; row < PQntuples(found); row++)
        *vec_add(batch->base.arena, &ids, struct uuid) = pg_uuid(found, row, 2);
    if (batch_load_releases(&batch->base, ids.items, ids.n, err) < 0)
        return -1;
    for (int row = 0; row < PQntuples(found); row++)
        for (size_t i = 0; i < batch->creates.n; i++) {
            struct batch_input *in = *vec_at(&batch->creates, struct batch_input *, i);
            if (str_eq(in->input->create.app, pg_text(found, row, 0)) &&
                str_eq(in->input->create.version, pg_text(found, row, 1))) {
                in->release = release_cache_get(batch->base.releases, pg_uuid(found, row, 2));
                in->withdrawn = pg_bool(found, row, 3);
            }
        }
    return 0;
}

static int look_up(struct engine_batch *batch, const struct vec *apps, const struct vec *versions,
                   const struct vec *planes, struct err *err) {
    if (send_releases(batch, apps, versions, err) < 0 || send_planes(batch, planes, err) < 0 ||
        pg_sync(batch->base.pg, err) < 0)
        return -1;
    cleanup_result PGresult *found = pg_next(batch->base.pg, err);
    if (!found || read_planes(batch, err) < 0)
        return -1;
    return take_releases(batch, found, err);
}

/* Does an earlier one name the same release and plane? */
static bool is_named(const struct engine_batch *batch, const struct create_args *create) {
    for (size_t i = 0; i < batch->creates.n; i++) {
        const struct create_args *other = &(*vec_at(&batch->creates, struct batch_input *, i))->input->create;
        if (str_eq(other->app, create->app) && str_eq(other->version, create->version) &&
            str_eq(other->plane, create->plane))
            return true;
    }
    return false;
}

int creates_prepare(struct engine_batch *batch, struct err *err) {
    struct vec apps = {0}, versions = {0}, planes = {0};
    for (size_t i = 0; i < batch->n; i++) {
        struct batch_input *in = &batch->inputs[i];
        if (in->input->kind != INPUT_CREATE)
            continue;
        bool named = is_named(batch, &in->input->create);
        *vec_add(batch->base.arena, &batch->creates, struct batch_input *) = in;
        if (named)
            continue;
        *vec_add(batch->base.arena, &apps, const char *) = in->input->create.app;
        *vec_add(batch->base.arena, &versions, const char *) = in->input->create.version;
        *vec_add(batch->base.arena, &planes, const char *) = in->input->create.plane;
    }
    if (!batch->creates.n)
        return 0;
    if (pg_pipeline_begin(batch->base.pg, err) < 0)
        return -1;
    int rc = look_up(batch, &apps, &versions, &planes, err);
    pg_pipeline_end(batch->base.pg);
    if (rc < 0)
        return -1;
    for (size_t i = 0; i < batch->creates.n; i++)
        create_plans_name(batch, *vec_at(&batch->creates, struct batch_input *, i));
    return 0;
}

/* ---- contexts ---- */

static int send_contexts(struct engine_batch *batch, struct err *err) {
    size_t n = batch->creates.n;
    struct arena *arena = batch->base.arena;
    int64_t *numbers = arena_alloc(arena, n * sizeof *numbers);
    const char **customers = arena_alloc(arena, n * sizeof *customers),
               **tenants = arena_alloc(arena, n * sizeof *tenants),
               **sizes = arena_alloc(arena, n * sizeof *sizes),
               **names = arena_alloc(arena, n * sizeof *names);
    struct uuid *planes = arena_alloc(arena, n * sizeof *planes);
    int64_t *planed = arena_alloc(arena, n * sizeof *planed);
    for (size_t i = 0; i < n; i++) {
        const struct batch_input *in = *vec_at(&batch->creates, struct batch_input *, i);
        numbers[i] = (int64_t)i;
        customers[i] = in->input->create.customer;
        tenants[i] = in->input->create.tenant;
        sizes[i] = in->input->create.size;
        names[i] = in->input->create.name;
        planed[i] = !uuid_is_nil(in->input->reach.plane_id);
        if (in->plane)
            planes[i] = in->plane->id;
    }
    struct pg_params lock = {.arena = arena}, params = {.arena = arena};
    pg_params_texts(&lock, customers, n);
    pg_params_ints(&params, numbers, n);
    pg_params_texts(&params, customers, n);
    pg_params_texts(&params, tenants, n);
    pg_params_uuids(&params, planes, n);
    pg_params_texts(&params, sizes, n);
    pg_params_texts(&params, names, n);
    pg_params_ints(&params, planed, n);
    if (pg_send(batch->base.pg, query_customers_lock, &lock, err) < 0)
        return -1;
    return pg_send(batch->base.pg, query_create_context, &params, err);
}

int creates_send(struct engine_batch *batch, struct err *err) {
    if (!batch->creates.n)
        return 0;
    return create_names_send(batch, err) < 0 ? -1 : send_contexts(batch, err);
}

int creates_read(struct engine_batch *batch, struct err *err) {
    if (create_names_read(batch, err) < 0)
        return -1;
    if (!batch->creates.n)
        return 0;
    cleanup_result PGresult *locked = pg_next(batch->base.pg, err);
    if (!locked)
        return -1;
    batch->contexts = pg_next(batch->base.pg, err);
    return batch->contexts ? 0 : -1;
}

struct create_context {
    struct uuid customer_id, tenant_id, size_id, existing_id;
    int64_t cpu_milli, memory_mb, disk_mb, trial_days, instances, memory_used;
    int64_t max_instances, max_memory_mb; /* -1: no limit */
    const char *requires;                 /* by the plan */
    bool has_plan, has_plane, plane_allowed;
    bool plane_theirs; /* not another customer's */
    bool tenant_on_it; /* has something on the plane already, or the plane is its customer's; of who is
                          limited to it */
};

static struct create_context read_context(PGresult *res, int row) {
    return (struct create_context){
        .customer_id = pg_uuid(res, row, 1),
        .tenant_id = pg_uuid(res, row, 2),
        .size_id = pg_uuid(res, row, 3),
        .cpu_milli = pg_int(res, row, 4),
        .memory_mb = pg_int(res, row, 5),
        .disk_mb = pg_int(res, row, 6),
        .max_instances = PQgetisnull(res, row, 8) ? -1 : pg_int(res, row, 8),
        .max_memory_mb = PQgetisnull(res, row, 9) ? -1 : pg_int(res, row, 9),
        .trial_days = pg_int(res, row, 10),
        .existing_id = pg_uuid(res, row, 11),
        .instances = pg_int(res, row, 12),
        .memory_used = pg_int(res, row, 13),
        .has_plane = pg_bool(res, row, 14),
        .plane_allowed = pg_bool(res, row, 15),
        .plane_theirs = pg_bool(res, row, 16),
        .tenant_on_it = pg_bool(res, row, 17),
        .requires = pg_text(res, row, 18),
    };
}

/* What earlier creates of this batch, not yet rows, add to the usage of a customer; and whether one of them
 * has this very name (then this one waits for the next batch, and finds it there). */
static bool add_batch_usage(struct engine_batch *batch, struct create_context *context,
                            const struct batch_input *in) {
    for (size_t i = 0; i < batch->base.subjects_n; i++) {
        const struct instance *other = batch->base.subjects[i]->instance;
        if (other->change != ROW_NEW || !uuid_eq(other->customer_id, context->customer_id))
            continue;
        if (uuid_eq(other->tenant_id, context->tenant_id) && str_eq(other->name, in->input->create.name))
            return false;
        context->instances++;
        context->memory_used += other->memory_mb;
    }
    return true;
}

/* True: it may be made. */
static bool judge_create(struct engine_batch *batch, struct batch_input *in,
                         const struct create_context *context) {
    const struct create_args *create = &in->input->create;
    const struct reach *reach = &in->input->reach;
    struct arena *arena = batch->base.arena;
    struct err err = {0};
    char id[UUID_TEXT_SIZE];
    if (!in->release)
        request_refuse(in, 422, "unknown_app",
                       arena_printf(arena, "There is no app \"%s\"%s%s in the catalogue%s.", create->app,
                                    create->version ? " of version " : "",
                                    create->version ? create->version : "",
                                    create->version ? "" : ", or every version of it is withdrawn"));
    else if (in->withdrawn)
        request_refuse(in, 422, "withdrawn",
                       arena_printf(arena, "Version %s of \"%s\" is withdrawn: nothing new is made of it.",
                                    create->version, create->app));
    else if (uuid_is_nil(context->tenant_id) || !context->tenant_on_it ||
             !reach_holds_tenant(reach, context->customer_id, context->tenant_id))
        request_refuse(
            in, 422, "unknown_tenant",
            arena_printf(arena, "There is no tenant \"%s/%s\".", create->customer, create->tenant));
    else if (!in->plane || !context->has_plane || (reach_is_limited(reach) && !context->plane_theirs) ||
             !reach_holds_plane(reach, in->plane->id))
        request_refuse(in, 422, "unknown_plane",
                       arena_printf(arena, "There is no plane \"%s\".", create->plane));
    else if (!context->plane_allowed)
        request_refuse(in, 403, "plane_not_allowed",
                       arena_printf(arena, "The plan of \"%s\" does not allow the plane \"%s\".",
                                    create->customer, create->plane));
    else if (uuid_is_nil(context->size_id) && (in->release->needs & NEED_STACK))
        request_refuse(
            in, 422, "unknown_size",
            arena_printf(arena, "The plane \"%s\" has no size \"%s\".", create->plane, create->size));
    else if (!uuid_is_nil(context->existing_id)) {
        request_refuse(in, 409, "exists",
                       arena_printf(arena, "\"%s/%s\" has an instance named \"%s\" already.",
                                    create->customer, create->tenant, create->name));
        in->input->answer.location =
            mem_strdup(arena_printf(arena, "/v1/instances/%s", uuid_text(context->existing_id, id)));
    } else if (context->max_instances >= 0 && context->instances + 1 > context->max_instances)
        request_refuse(
            in, 403, "quota",
            arena_printf(
                arena,
                "The plan allows %lld instances and %lld are there. Delete one, or ask for a larger plan.",
                (long long)context->max_instances, (long long)context->instances));
    else if (context->max_memory_mb >= 0 &&
             context->memory_used + context->memory_mb > context->max_memory_mb)
        request_refuse(
            in, 403, "quota",
            arena_printf(arena,
                         "The plan allows %lld MB of memory; %lld MB are in use and %lld MB are asked for.",
                         (long long)context->max_memory_mb, (long long)context->memory_used,
                         (long long)context->memory_mb));
    else if (release_check_inputs(in->release, create->inputs, &err) < 0)
        request_refuse(in, 422, "bad_input", err.text);
    return !in->answered;
}

static const char *public_url(struct arena *arena, const struct plane *plane, const char *host) {
    bool usual = plane->public_port == (str_eq(plane->scheme, "https") ? 443 : 80);
    return usual ? arena_printf(arena, "%s://%s", plane->scheme, host)
                 : arena_printf(arena, "%s://%s:%lld", plane->scheme, host, (long long)plane->public_port);
}

static void make_instance(struct engine_batch *batch, struct batch_input *in,
                          const struct create_context *context) {
    const struct create_args *create = &in->input->create;
    struct arena *arena = batch->base.arena;
    struct refusal refusal;
    cleanup_free char *inputs = json_text(create->inputs);
    struct instance *instance = arena_new(arena, struct instance);
    *instance = (struct instance){
        .change = ROW_NEW,
        .tenant_id = context->tenant_id,
        .id = create_identity(in->input),
        .customer_id = context->customer_id,
        .plane_id = in->plane->id,
        .release_id = in->release->id,
        .size_id = context->size_id,
        .name = create->name,
        .host = in->name ? in->name->host : NULL,
        .inputs = arena_strdup(arena, inputs),
        .public_url = in->name ? public_url(arena, in->plane, in->name->host) : NULL,
        .serving = SET_FIRST,
        .requires = labels_join(arena, create->requires, context->requires),
        .prefers = create->prefers,
        .state = STATE_NEW,
        .memory_mb = context->memory_mb,
        .cpu_milli = context->cpu_milli,
        .disk_mb = context->disk_mb,
        .trial_days = create->trial_days >= 0 ? create->trial_days : context->trial_days,
        .created_at = batch->base.now,
        .updated_at = batch->base.now,
    };
    struct subject *subject = batch_add_subject(&batch->base, instance, in->release, in->plane);
    subject->name = in->name;
    if (in->name) {
        in->name->tenant_id = context->tenant_id;
        in->name->change = ROW_CHANGED; /* the claim made the row */
    }
    struct decision *decision = batch_decision(&batch->base, in->input->seed);
    decision->ids = 1; /* the first is the instance's own */
    struct decide_event event = {.kind = DECIDE_INTENT,
                                 .intent = INTENT_CREATE,
                                 .request_id = in->input->seed,
                                 .trace = in->input->trace};
    if (decide(subject, &event, decision, &refusal))
        request_accept(batch, in, instance);
    else
        request_refuse(in, refusal.status, refusal.code, refusal.sentence);
}

static void decide_create(struct engine_batch *batch, struct batch_input *in, int row) {
    struct create_context context = read_context(batch->contexts, row);
    if (in->answered || in->same_key)
        return;
    if (!add_batch_usage(batch, &context, in)) {
        in->skip = true;
        return;
    }
    if (!judge_create(batch, in, &context))
        return;
    if (!create_claims_name(batch, in, context.tenant_id))
        in->skip = true;
    else if (!in->answered)
        make_instance(batch, in, &context);
}

void creates_decide(struct engine_batch *batch) {
    for (size_t i = 0; i < batch->creates.n; i++)
        decide_create(batch, *vec_at(&batch->creates, struct batch_input *, i), (int)i);
    PQclear(batch->contexts);
    batch->contexts = NULL;
}
