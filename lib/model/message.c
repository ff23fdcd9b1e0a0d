#include "model/message.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/str.h"
#include "model/source.h"
#include "proto/fairlead.pb-c.h"

#include <string.h>

static char *text_or_empty(struct arena *arena, const char *s) {
    return arena_strdup(arena, s ? s : "");
}

static ProtobufCBinaryData identity_of(struct arena *arena, struct uuid id) {
    return (ProtobufCBinaryData){.len = sizeof id.b, .data = arena_memdup(arena, id.b, sizeof id.b)};
}

static struct bytes pack(struct arena *arena, const ProtobufCMessage *message) {
    size_t n = protobuf_c_message_get_packed_size(message);
    uint8_t *p = arena_alloc(arena, n);
    protobuf_c_message_pack(message, p);
    return (struct bytes){p, n};
}

/* An object of texts as key-value pairs in key order. */
static Fairlead__V1__KeyValue **key_values(struct arena *arena, const char *json, size_t *ret_n) {
    cleanup_json json_t *object = json ? json_loads(json, 0, NULL) : NULL;
    struct vec out = {0};
    cleanup_free char *sorted = object ? json_text(object) : NULL;
    cleanup_json json_t *ordered = sorted ? json_loads(sorted, 0, NULL) : NULL;
    const char *key;
    json_t *v;
    json_object_foreach(ordered, key, v) {
        Fairlead__V1__KeyValue *pair = arena_new(arena, Fairlead__V1__KeyValue);
        fairlead__v1__key_value__init(pair);
        pair->key = arena_strdup(arena, key);
        pair->value = text_or_empty(arena, json_string_value(v));
        *vec_add(arena, &out, Fairlead__V1__KeyValue *) = pair;
    }
    *ret_n = out.n;
    return out.items;
}

/* To us, once; those of a private plane are shown on its own machine only. */
static char **delivered_secrets(const struct subject *subject, struct arena *arena, size_t *ret_n) {
    struct vec out = {0};
    const char *key;
    json_t *v;
    if (subject_is_private(subject)) {
        *ret_n = 0;
        return NULL;
    }
    json_object_foreach(json_object_get(subject->release->spec, "secrets"), key, v) {
        if (json_is_true(json_object_get(v, "deliver")))
            *vec_add(arena, &out, char *) = arena_strdup(arena, key);
    }
    *ret_n = out.n;
    return out.items;
}

static struct bytes make_stack(const struct subject *subject, struct arena *arena, const struct set *set,
                               enum want want) {
    const struct instance *instance = subject->instance;
    cleanup_free char *spec = json_text(subject->release->spec);
    Fairlead__V1__Stack stack = FAIRLEAD__V1__STACK__INIT;
    stack.running = want == WANT_ON;
    stack.purge = want == WANT_ABSENT;
    stack.app = text_or_empty(arena, subject->release->app);
    stack.version = text_or_empty(arena, subject->release->version);
    stack.template_ = text_or_empty(arena, subject->release->template);
    stack.spec = arena_strdup(arena, spec);
    stack.instance_name = text_or_empty(arena, instance->name);
    stack.public_url = text_or_empty(arena, instance->public_url);
    stack.address = text_or_empty(arena, set->host ? set->host->address : NULL);
    stack.edge_address = text_or_empty(arena, subject->edge ? subject->edge->address : NULL);
    stack.port = (uint32_t)set->port;
    stack.inputs = key_values(arena, instance->inputs, &stack.n_inputs);
    /* Documents are kept for ever: one that says "absent" holds nothing that a person typed. */
    for (size_t i = 0; i < stack.n_inputs && want == WANT_ABSENT; i++)
        stack.inputs[i]->value = text_or_empty(arena, NULL);
    stack.images = key_values(arena, set->images, &stack.n_images);
    stack.copies = key_values(arena, set->copies, &stack.n_copies);
    stack.memory_mb = (uint32_t)instance->memory_mb;
    stack.cpu_milli = (uint32_t)instance->cpu_milli;
    stack.disk_mb = (uint32_t)instance->disk_mb;
    stack.pids = 256;
    stack.deliver = delivered_secrets(subject, arena, &stack.n_deliver);
    stack.text = text_or_empty(arena, instance->host);
    if (subject->plane && subject->plane->recovery_key.n) {
        stack.recovery_key.len = subject->plane->recovery_key.n;
        stack.recovery_key.data = (uint8_t *)(uintptr_t)subject->plane->recovery_key.p;
    }
    /* Of the instance and of the whole wanted state without it, else the old container would prove the new.
     */
    struct bytes bare = pack(arena, &stack.base);
    cleanup_free uint8_t *both = mem_alloc(sizeof instance->id.b + bare.n);
    memcpy(both, instance->id.b, sizeof instance->id.b);
    memcpy(both + sizeof instance->id.b, bare.p, bare.n);
    char hex[HASH_HEX_SIZE];
    hash_hex(hash_of(both, sizeof instance->id.b + bare.n), hex);
    stack.identity = arena_strndup(arena, hex, 32);
    if (want == WANT_ON) /* after it, as what follows: to know more of an image is no other wish */
        stack.provenance = key_values(arena, set->provenance, &stack.n_provenance);
    if (subject_is_private(subject) && want == WANT_ON) /* after it: more time is no other container */
        stack.run_until_us = instance->expires_at;
    return pack(arena, &stack.base);
}

/* What the app's own side must say: of the set that serves. */
static const char *serving_identity(const struct subject *subject, struct arena *arena) {
    const struct document *stack = subject_document(subject, DOCUMENT_STACK, subject->instance->serving);
    if (!stack || !stack->content.n)
        return "";
    Fairlead__V1__Stack *parsed = fairlead__v1__stack__unpack(NULL, stack->content.n, stack->content.p);
    const char *identity = parsed ? arena_strdup(arena, parsed->identity) : "";
    if (parsed)
        fairlead__v1__stack__free_unpacked(parsed, NULL);
    return identity;
}

static struct bytes make_route(const struct subject *subject, struct arena *arena, enum want want) {
    static const char *const pages[] = {
        [WANT_NOTHING] = "",
        [WANT_ON] = "",
        [WANT_OFF] = "This application is stopped. Its data is kept. Whoever runs it can start it again.",
        [WANT_ENDED] =
            "The trial of this application has ended. Its data is kept. Whoever runs it can extend it.",
        [WANT_ABSENT] = "",
    };
    const struct set *serving = subject_serving(subject);
    Fairlead__V1__Route route = FAIRLEAD__V1__ROUTE__INIT;
    route.host = text_or_empty(arena, subject->instance->host);
    route.upstream = serving && serving->host
                         ? arena_printf(arena, "%s:%lld", serving->host->address, (long long)serving->port)
                         : text_or_empty(arena, NULL);
    route.page = text_or_empty(arena, pages[want]);
    route.identity = text_or_empty(arena, NULL);
    return pack(arena, &route.base);
}

static void fill_dns(const struct subject *subject, struct decision *decision, enum want want,
                     Fairlead__V1__Dns *dns) {
    struct arena *arena = decision->arena;
    fairlead__v1__dns__init(dns);
    dns->host = text_or_empty(arena, subject->name->host);
    dns->address = text_or_empty(arena, subject->edge ? subject->edge->address : NULL);
    dns->ttl = (uint32_t)decision->settings->dns_ttl_s;
    dns->absent = want != WANT_ON;
    dns->owner = identity_of(arena, subject->instance->id);
    dns->serial = (uint64_t)subject->name->serial;
    dns->replaces = text_or_empty(arena, subject->name->replaces);
    dns->adopt = subject_running(subject)->walk == WALK_REPAIR;
}

/* `whole`: every expectation of the release, as it must hold once. Later its owner may change what its pages
 * show: then only what proves the app and its data store is judged. */
static void fill_probe(const struct subject *subject, struct decision *decision, bool whole,
                       Fairlead__V1__Probe *probe) {
    struct arena *arena = decision->arena;
    struct vec expect = {0};
    size_t i;
    json_t *row;
    fairlead__v1__probe__init(probe);
    probe->host = text_or_empty(arena, subject->instance->host);
    probe->scheme = text_or_empty(arena, subject->plane->scheme);
    probe->port = (uint32_t)subject->plane->public_port;
    probe->address = text_or_empty(arena, subject->edge ? subject->edge->address : NULL);
    probe->identity = text_or_empty(arena, serving_identity(subject, arena));
    json_array_foreach(json_object_get(json_object_get(subject->release->spec, "health"), "expect"), i, row) {
        if (!whole && !json_is_true(json_object_get(row, "identity")))
            continue;
        Fairlead__V1__Expectation *e = arena_new(arena, Fairlead__V1__Expectation);
        fairlead__v1__expectation__init(e);
        e->path = text_or_empty(arena, json_str(row, "path"));
        e->status = (uint32_t)json_int(row, "status", 200);
        e->header = text_or_empty(arena, json_str(row, "header"));
        e->body = text_or_empty(arena, json_str(row, "body"));
        e->identity = json_is_true(json_object_get(row, "identity"));
        *vec_add(arena, &expect, Fairlead__V1__Expectation *) = e;
    }
    probe->n_expect = expect.n;
    probe->expect = expect.items;
    probe->owner = identity_of(arena, subject->instance->id);
}

/* A watch that proves a new app, in place of an order. */
static bool is_proving(const struct subject *subject) {
    const struct intent *intent = subject_running(subject);
    for (size_t i = 0; i < subject->steps.n && intent && intent->walk == WALK_CREATE; i++) {
        const struct step *step = vec_at(&subject->steps, struct step, i);
        if (subject_carrier(subject, step) == DOCUMENT_WATCH && step->kind == STEP_VERIFY &&
            step->state == STEP_OPEN)
            return true;
    }
    return false;
}

static struct bytes make_watch(const struct subject *subject, struct decision *decision, enum want want) {
    Fairlead__V1__Watch watch = FAIRLEAD__V1__WATCH__INIT;
    Fairlead__V1__Probe probe;
    fill_probe(subject, decision, is_proving(subject), &probe);
    watch.running = want == WANT_ON;
    watch.probe = &probe;
    return pack(decision->arena, &watch.base);
}

struct wanted document_want(const struct subject *subject, struct decision *decision, int kind,
                            const char *letter, enum want want) {
    const struct set none = {0}, *set = subject_set(subject, letter);
    struct wanted wanted = {.absent = want == WANT_ABSENT};
    switch ((enum document_kind)kind) {
    case DOCUMENT_STACK:
        set = set ? set : &none;
        wanted.node_id = set->node_id;
        wanted.content = make_stack(subject, decision->arena, set, want);
        break;
    case DOCUMENT_ROUTE:
        wanted.node_id = subject->instance->edge_id;
        wanted.content = make_route(subject, decision->arena, want);
        break;
    case DOCUMENT_WATCH:
        wanted.node_id = subject->instance->prober_id;
        wanted.content = make_watch(subject, decision, want);
        break;
    case DOCUMENT_TASK:
    case DOCUMENT_CERTIFICATE: {
        const struct document *document = subject_document(subject, kind, letter);
        if (document) { /* not made of the subject: it holds what was put there */
            wanted.node_id = document->node_id;
            wanted.content = document->content;
        }
        break;
    }
    case DOCUMENT_KIND_COUNT:
        break;
    }
    return wanted;
}

const char *document_condition(int kind, enum want want) {
    if (want == WANT_ABSENT)
        return "absent";
    return want == WANT_ON || kind == DOCUMENT_ROUTE ? "healthy" : "stopped"; /* a route shows a page */
}

static void init_order(struct decision *decision, Fairlead__V1__Order *order, struct uuid id, int64_t attempt,
                       const char *subject) {
    fairlead__v1__order__init(order);
    order->subject = text_or_empty(decision->arena, subject);
    order->id = identity_of(decision->arena, id);
    order->attempt = (uint32_t)attempt;
    order->epoch = (uint32_t)decision->epoch;
}

struct bytes message_order(const struct subject *subject, struct decision *decision, const struct step *step,
                           enum want want) {
    const struct intent *intent = subject_intent(subject, step->generation);
    Fairlead__V1__Order order;
    Fairlead__V1__Noop noop = FAIRLEAD__V1__NOOP__INIT;
    Fairlead__V1__Dns dns;
    Fairlead__V1__Probe probe;
    char hex[UUID_HEX_SIZE];
    init_order(decision, &order, step->order_id, step->attempt, uuid_hex(step->instance_id, hex));
    order.traceparent = text_or_empty(decision->arena, intent->trace);
    if (step->kind == STEP_NAME) {
        fill_dns(subject, decision, want, &dns);
        order.act_case = FAIRLEAD__V1__ORDER__ACT_DNS;
        order.dns = &dns;
    } else if (step->kind == STEP_VERIFY) {
        fill_probe(subject, decision, intent->walk == WALK_CREATE, &probe);
        order.act_case = FAIRLEAD__V1__ORDER__ACT_PROBE;
        order.probe = &probe;
    } else if (step->kind == STEP_NOOP) {
        order.act_case = FAIRLEAD__V1__ORDER__ACT_NOOP;
        order.noop = &noop;
    } /* a kind that nobody wrote down here says nothing, and the worker parks it */
    return pack(decision->arena, &order.base);
}

/* The facts of the resolve step of the same image: commit and build key. */
static json_t *resolved(const struct subject *subject, const struct step *step) {
    for (size_t i = 0; i < subject->steps.n; i++) {
        const struct step *other = vec_at(&subject->steps, struct step, i);
        if (other->kind == STEP_RESOLVE && str_eq(other->part, step->part) && other->facts)
            return json_loads(other->facts, 0, NULL);
    }
    return NULL;
}

const char *message_work_key(const struct subject *subject, struct decision *decision,
                             const struct step *step) {
    if (step->kind == STEP_RESOLVE)
        return source_resolve_key(subject->release, step->part, decision->arena);
    cleanup_json json_t *facts = resolved(subject, step);
    return source_build_key(subject->release, step->part, facts, decision->settings->base, decision->arena);
}

const char *message_work_params(const struct subject *subject, struct decision *decision,
                                const struct step *step) {
    if (step->kind == STEP_RESOLVE)
        return source_resolve_params(subject->release, step->part, decision->arena);
    cleanup_json json_t *facts = resolved(subject, step);
    return source_build_params(subject->release, step->part, facts, decision->settings->base,
                               decision->arena);
}

struct bytes message_work_order(const struct work *work, struct decision *decision) {
    struct arena *arena = decision->arena;
    cleanup_json json_t *params = json_loads(work->params, 0, NULL);
    Fairlead__V1__Source source = FAIRLEAD__V1__SOURCE__INIT;
    source.repository = text_or_empty(arena, json_str(params, "repository"));
    source.ref = text_or_empty(arena, json_str(params, "ref"));
    source.path = text_or_empty(arena, json_str(params, "path"));
    source.dockerfile = text_or_empty(arena, json_str(params, "dockerfile"));
    Fairlead__V1__Order order;
    Fairlead__V1__Resolve resolve = FAIRLEAD__V1__RESOLVE__INIT;
    Fairlead__V1__Build build = FAIRLEAD__V1__BUILD__INIT;
    Fairlead__V1__Dns dns = FAIRLEAD__V1__DNS__INIT;
    init_order(decision, &order, work->order_id, work->attempt, work->key);
    order.traceparent = text_or_empty(arena, NULL);
    if (work->kind == STEP_NAME) {
        uint8_t owner[sizeof(struct uuid)];
        dns.host = text_or_empty(arena, json_str(params, "host"));
        dns.address = text_or_empty(arena, NULL);
        dns.replaces = text_or_empty(arena, json_str(params, "replaces"));
        dns.forget = true;
        dns.absent = true; /* what a worker that does not know "forget" may do */
        if (hex_decode(owner, sizeof owner, json_str(params, "owner")))
            dns.owner = (ProtobufCBinaryData){sizeof owner, arena_memdup(arena, owner, sizeof owner)};
        order.act_case = FAIRLEAD__V1__ORDER__ACT_DNS;
        order.dns = &dns;
    } else if (work->kind == STEP_RESOLVE) {
        resolve.source = &source;
        order.act_case = FAIRLEAD__V1__ORDER__ACT_RESOLVE;
        order.resolve = &resolve;
    } else {
        build.source = &source;
        build.commit = text_or_empty(arena, json_str(params, "commit"));
        build.build_key = text_or_empty(arena, json_str(params, "build_key"));
        build.base_image = text_or_empty(arena, json_str(params, "base"));
        build.image = text_or_empty(arena, json_str(params, "image"));
        cleanup_free char *args = json_text(json_object_get(params, "args"));
        build.args = key_values(arena, args, &build.n_args);
        order.act_case = FAIRLEAD__V1__ORDER__ACT_BUILD;
        order.build = &build;
    }
    return pack(arena, &order.base);
}
