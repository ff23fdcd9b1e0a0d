#include "model/render.h"

#include "base/json.h"
#include "base/str.h"
#include "base/yaml.h"
#include "model/names.h"
#include "model/tables.h"
#include "model/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *render_project(struct arena *arena, const char *node, const char *instance, const char *letter) {
    /* Identities begin with the time: what tells two nodes apart stands later. */
    return arena_printf(arena, "fl-%.8s-%s-%s", node + 18, instance, letter);
}

static const char *value_of(Fairlead__V1__KeyValue *const *pairs, size_t n, const char *key) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(pairs[i]->key, key))
            return pairs[i]->value;
    return NULL;
}

/* The first copy has the bare name; no volume's name holds a dot. */
char *render_volume(struct arena *arena, const Fairlead__V1__Stack *stack, const char *instance,
                    const char *volume) {
    const char *copy = value_of(stack->copies, stack->n_copies, volume);
    return copy ? arena_printf(arena, "fl-%s-%s.%s", instance, volume, copy)
                : arena_printf(arena, "fl-%s-%s", instance, volume);
}

bool render_mounts(const Fairlead__V1__Stack *stack, const char *instance, const char *name) {
    char volume[64], prefix[64];
    (void)snprintf(prefix, sizeof prefix, "fl-%s-", instance);
    if (!str_starts(name, prefix))
        return false;
    const char *rest = name + strlen(prefix), *dot = strchr(rest, '.');
    (void)snprintf(volume, sizeof volume, "%.*s", (int)(dot ? dot - rest : 63), rest);
    const char *copy = value_of(stack->copies, stack->n_copies, volume);
    return dot ? str_eq(copy, dot + 1) : !copy;
}

/* A text of the template that has no values in it: "$" is doubled all the same. */
static json_t *plain_text(const char *text) {
    cleanup_str struct str out = STR_INIT(65536);
    for (; *text; text++)
        str_adds(&out, *text == '$' ? "$$" : (const char[]){*text, '\0'});
    return json_string(str_text(&out));
}

/* A duration in the one form that every Compose reads alike. */
static void set_duration(json_t *of, const char *key) {
    int64_t ms;
    if (!name_is_duration(json_str(of, key), &ms))
        return;
    (void)json_object_set_new(of, key,
                              ms % 1000 ? json_sprintf("%lldms", (long long)ms)
                                        : json_sprintf("%llds", (long long)(ms / 1000)));
}

static const char *image_id(const struct render_input *in, const char *name) {
    for (size_t i = 0; i < in->stack->n_images && in->image_ids; i++)
        if (str_eq(in->stack->images[i]->key, name))
            return in->image_ids[i];
    return NULL;
}

static int add_image(const struct render_input *in, const char *name, const json_t *rule, json_t *out,
                     struct err *err) {
    const char *image = value_of(in->stack->images, in->stack->n_images, json_str(rule, "image")),
               *id = image_id(in, json_str(rule, "image"));
    if (!image || !name_is_image(image))
        return err_set(err, ERR_PARK, "service \"%s\": no digest is known for image \"%s\"", name,
                       json_str(rule, "image"));
    /* What is loaded has no digest of a registry: it has its id. */
    return json_object_set_new(out, "image",
                               id ? json_string(id) : json_sprintf("%s/%s", in->registry, image));
}

/* What an instance is to have is shared by its services: whoever signs cannot make one of them larger than
 * the whole. */
static int check_shares(const struct render_input *in, struct err *err) {
    const char *name;
    json_t *service;
    int64_t memory = 0, cpu = 0;
    bool below = false;
    json_object_foreach(json_object_get(in->spec, "services"), name, service) {
        int64_t m = json_int(service, "memory_share", 100), c = json_int(service, "cpu_share", 100);
        below = below || m < 0 || c < 0 || m > 100 || c > 100;
        memory += m > 100 ? 101 : m;
        cpu += c > 100 ? 101 : c;
    }
    if (below || memory > 100 || cpu > 100 || in->stack->pids == 0)
        return err_set(err, ERR_PARK, "the services together are to have more than the instance");
    return 0;
}

static void add_limits(const struct render_input *in, const json_t *rule, json_t *out) {
    int64_t memory = in->stack->memory_mb * json_int(rule, "memory_share", 100) / 100;
    int64_t cpu = in->stack->cpu_milli * json_int(rule, "cpu_share", 100) / 100;
    (void)json_object_set_new(out, "mem_limit",
                              json_sprintf("%lldm", (long long)(memory > 16 ? memory : 16)));
    (void)json_object_set_new(out, "cpus", json_real((double)(cpu > 10 ? cpu : 10) / 1000));
    (void)json_object_set_new(out, "pids_limit", json_integer(in->stack->pids));
}

static int add_rights(const char *name, const json_t *rule, json_t *out, struct err *err) {
    if (template_check_caps(name, rule, err) < 0)
        return -1;
    (void)json_object_set_new(out, "cap_drop", json_pack("[s]", "ALL"));
    (void)json_object_set_new(out, "security_opt", json_pack("[s]", "no-new-privileges:true"));
    (void)json_object_set_new(out, "restart",
                              json_string("no")); /* secrets lie on tmpfs: the node starts it */
    if (json_array_size(json_object_get(rule, "caps")))
        (void)json_object_set(out, "cap_add", json_object_get(rule, "caps"));
    return 0;
}

/* An Engine that is not ours may let a log fill the disk. */
static void add_log_limits(json_t *out) {
    (void)json_object_set_new(out, "logging",
                              json_pack("{s:s, s:{s:s, s:s}}", "driver", "json-file", "options", "max-size",
                                        "10m", "max-file", "3"));
}

/* The first set needs no label: what runs since before there were others is its. */
static void add_set_label(const struct render_input *in, json_t *labels) {
    if (!str_eq(in->letter, SET_FIRST))
        (void)json_object_set_new(labels, RENDER_SET_LABEL, json_string(in->letter));
}

static void add_labels(const struct render_input *in, int64_t grace_s, json_t *out) {
    (void)json_object_set_new(
        out, "labels",
        json_pack("{s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:o}", "fairlead.node", in->node, "fairlead.instance",
                  in->instance, "fairlead.revision", json_sprintf("%llu", (unsigned long long)in->revision),
                  "fairlead.generation", json_sprintf("%llu", (unsigned long long)in->generation),
                  "fairlead.identity", in->stack->identity, "fairlead.name", in->stack->instance_name,
                  "fairlead.host", in->stack->text, RENDER_GRACE_LABEL,
                  json_sprintf("%lld", (long long)grace_s)));
    add_set_label(in, json_object_get(out, "labels"));
}

static void add_secrets(const struct render_input *in, const char *service, json_t *volumes) {
    const char *name;
    json_t *secret, *reader;
    size_t i;
    json_object_foreach(json_object_get(in->spec, "secrets"), name, secret) {
        json_array_foreach(json_object_get(secret, "readers"), i, reader) {
            if (!str_eq(json_str(reader, "service"), service))
                continue;
            /* The long form: after the tmpfs is gone it refuses to start; the short one would make a folder.
             */
            (void)json_array_append_new(
                volumes, json_pack("{s:s, s:o, s:o, s:b}", "type", "bind", "source",
                                   json_sprintf("%s/%s/%s", in->secrets_dir, service, name), "target",
                                   json_sprintf("/run/secrets/%s", name), "read_only", 1));
        }
    }
}

static void add_volumes(const struct render_input *in, const char *service, const json_t *template,
                        json_t *out, json_t *all) {
    struct arena arena = {0};
    json_t *volumes = json_array(), *v;
    size_t i;
    json_array_foreach(json_object_get(template, "volumes"), i, v) {
        const char *text = json_string_value(v), *colon = strchr(text, ':');
        char name[40];
        (void)snprintf(name, sizeof name, "%.*s", (int)(colon - text), text);
        json_t *target = plain_text(colon + 1);
        (void)json_array_append_new(
            volumes, json_pack("{s:s, s:s, s:o}", "type", "volume", "source", name, "target", target));
        (void)json_object_set_new(all, name,
                                  json_pack("{s:s, s:{s:s, s:s}}", "name",
                                            render_volume(&arena, in->stack, in->instance, name), "labels",
                                            "fairlead.instance", in->instance, "fairlead.node", in->node));
    }
    add_secrets(in, service, volumes);
    if (json_array_size(volumes))
        (void)json_object_set(out, "volumes", volumes);
    json_decref(volumes);
    arena_release(&arena);
}

/* Its own name leads to its edge, whatever resolves names in there: sign-in by OIDC and webhooks call it. A
 * loopback address would be the container's own. */
static void add_own_name(const struct render_input *in, json_t *out) {
    if (*in->stack->text && *in->stack->edge_address && !str_starts(in->stack->edge_address, "127."))
        (void)json_object_set_new(
            out, "extra_hosts",
            json_pack("[o]", json_sprintf("%s:%s", in->stack->text, in->stack->edge_address)));
}

static void add_order(const json_t *template, json_t *out) {
    json_t *after = json_object(), *v;
    size_t i;
    json_array_foreach(json_object_get(template, "depends_on"), i, v) {
        (void)json_object_set_new(after, json_string_value(v),
                                  json_pack("{s:s}", "condition", "service_healthy"));
    }
    if (json_object_size(after))
        (void)json_object_set(out, "depends_on", after);
    json_decref(after);
}

static json_t *render_service(const struct render_input *in, const char *name, const json_t *template,
                              json_t *volumes, struct err *err) {
    static const char *const copied[] = {"environment", "tmpfs", "healthcheck", "stop_grace_period",
                                         "command"};
    const json_t *rule = json_object_get(json_object_get(in->spec, "services"), name);
    const json_t *health = json_object_get(in->spec, "health");
    cleanup_json json_t *out = json_object();
    if (add_image(in, name, rule, out, err) < 0)
        return NULL;
    (void)json_object_set_new(out, "user",
                              json_sprintf("%s:%s", json_str(template, "user"), json_str(template, "user")));
    (void)json_object_set_new(out, "read_only",
                              json_boolean(!str_eq(json_str(template, "read_only"), "false")));
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++) {
        const json_t *v = json_object_get(template, copied[i]);
        json_t *filled = v ? template_fill(in->stack, v, err) : NULL;
        if (v && !filled)
            return NULL;
        if (filled)
            (void)json_object_set_new(out, copied[i], filled);
    }
    json_t *check = json_object_get(out, "healthcheck");
    int64_t retries, grace_ms = 10000; /* Docker's own */
    if (str_to_int(json_str(check, "retries"), 1, 100, &retries))
        (void)json_object_set_new(check, "retries", json_integer(retries));
    set_duration(check, "interval");
    set_duration(check, "timeout");
    set_duration(check, "start_period");
    set_duration(out, "stop_grace_period");
    (void)name_is_duration(json_str(out, "stop_grace_period"), &grace_ms);
    add_log_limits(out);
    add_limits(in, rule, out);
    if (add_rights(name, rule, out, err) < 0)
        return NULL;
    add_labels(in, (grace_ms + 999) / 1000, out);
    add_volumes(in, name, template, out, volumes);
    add_order(template, out);
    add_own_name(in, out);
    (void)json_object_set_new(out, "networks", json_pack("[s]", "private"));
    if (str_eq(json_str(health, "service"), name))
        (void)json_object_set_new(
            out, "ports",
            json_pack("[o]", json_sprintf("%s:%u:%lld", in->stack->address, in->stack->port,
                                          (long long)json_int(health, "port", 0))));
    return json_incref(out);
}

int render_compose(const struct render_input *input, json_t **ret_json, char **ret_text, struct err *err) {
    cleanup_json json_t *template = template_parse(input->stack->template_, input->spec, err);
    cleanup_json json_t *services = json_object(), *volumes = json_object();
    const char *name;
    json_t *v;
    if (!template || check_shares(input, err) < 0)
        return -1;
    json_object_foreach(json_object_get(template, "services"), name, v) {
        json_t *service = render_service(input, name, v, volumes, err);
        if (!service || json_object_set_new(services, name, service) < 0)
            return -1;
    }
    cleanup_json json_t *file =
        json_pack("{s:O, s:{s:{s:{s:s, s:s}}}}", "services", services, "networks", "private", "labels",
                  "fairlead.instance", input->instance, "fairlead.node", input->node);
    json_t *network = json_object_get(json_object_get(file, "networks"), "private");
    add_set_label(input, json_object_get(network, "labels"));
    if (input->subnet && *input->subnet)
        (void)json_object_set_new(network, "ipam",
                                  json_pack("{s:[{s:s}]}", "config", "subnet", input->subnet));
    if (json_object_size(volumes))
        (void)json_object_set(file, "volumes", volumes);
    char *text = yaml_emit(file, err);
    if (!text)
        return -1;
    *ret_json = json_incref(file);
    *ret_text = text;
    return 0;
}
