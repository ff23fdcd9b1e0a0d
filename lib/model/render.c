#include "model/render.h"

#include "base/json.h"
#include "base/str.h"
#include "base/yaml.h"
#include "model/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *render_project(struct arena *arena, const char *node, const char *instance) {
    /* Identities begin with the time: what tells two nodes apart stands later. */
    return arena_printf(arena, "fl-%.8s-%s-a", node + 18, instance);
}

char *render_volume(struct arena *arena, const char *instance, const char *volume) {
    return arena_printf(arena, "fl-%s-%s", instance, volume);
}

/* ---- the template's own keys ---- */

static const char *const service_keys[] = {
    "user",        "read_only",         "tmpfs",   "volumes",    "environment",
    "healthcheck", "stop_grace_period", "command", "depends_on", NULL};

static int check_keys(const json_t *object, const char *const *known, const char *where, struct err *err) {
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)object, key, v) {
        const char *const *k = known;
        while (*k && !str_eq(*k, key))
            k++;
        if (!*k)
            return err_set(err, ERR_PARK, "compose.yaml: %s: \"%s\" is not allowed here", where, key);
    }
    return 0;
}

/* "name:/path": a named volume, never a folder of the host. */
static int check_volume(const char *text, const char *service, struct err *err) {
    const char *colon = text ? strchr(text, ':') : NULL;
    char name[40];
    if (!colon || colon - text >= (int)sizeof name || colon[1] != '/' || strchr(colon + 1, ':'))
        return err_set(err, ERR_PARK, "compose.yaml: %s: a volume is NAME:/PATH, not \"%s\"", service,
                       text ? text : "");
    (void)snprintf(name, sizeof name, "%.*s", (int)(colon - text), text);
    if (!name_is_key(name))
        return err_set(err, ERR_PARK, "compose.yaml: %s: the name of a volume must be %s", service, KEY_RULE);
    return 0;
}

static int check_duration(const char *service, const json_t *of, const char *key, struct err *err) {
    const json_t *v = json_object_get(of, key);
    if (!v || name_is_duration(json_string_value(v), NULL))
        return 0;
    return err_set(err, ERR_PARK, "compose.yaml: %s: %s must be " DURATION_RULE ", not \"%.40s\"", service,
                   key, json_is_string(v) ? json_string_value(v) : "");
}

/* Who must be healthy before it starts: a list of services. A job, which ends before others begin, there is
 * not yet: as a service it would be called unhealthy and run again for ever. */
static int check_order(const char *name, const json_t *service, const json_t *services, struct err *err) {
    const json_t *after = json_object_get(service, "depends_on");
    size_t i;
    json_t *v;
    if (after && !json_is_array(after))
        return err_set(
            err, ERR_PARK,
            "compose.yaml: %s: depends_on must be a list of services, each healthy before this one "
            "starts; conditions, and jobs that end, are not known",
            name);
    json_array_foreach(after, i, v) {
        if (!json_is_string(v) || !json_object_get(services, json_string_value(v)) ||
            str_eq(json_string_value(v), name))
            return err_set(err, ERR_PARK, "compose.yaml: %s: depends_on: \"%.40s\" is no other service", name,
                           json_is_string(v) ? json_string_value(v) : "");
    }
    return 0;
}

static int check_health(const char *name, const json_t *check, struct err *err) {
    static const char *const known[] = {"test", "interval", "timeout", "retries", "start_period", NULL};
    int64_t n;
    if (!json_is_object(check))
        return err_set(err, ERR_PARK, "compose.yaml: %s: a healthcheck is required", name);
    if (check_keys(check, known, name, err) < 0 || check_duration(name, check, "interval", err) < 0 ||
        check_duration(name, check, "timeout", err) < 0 ||
        check_duration(name, check, "start_period", err) < 0)
        return -1;
    if (!json_object_get(check, "test"))
        return err_set(err, ERR_PARK, "compose.yaml: %s: healthcheck.test is required", name);
    if (json_object_get(check, "retries") && !str_to_int(json_str(check, "retries"), 1, 100, &n))
        return err_set(err, ERR_PARK, "compose.yaml: %s: retries must be a number from 1 to 100", name);
    return 0;
}

static int check_service(const char *name, const json_t *service, const json_t *services, struct err *err) {
    size_t i;
    json_t *v;
    int64_t uid;
    if (!json_is_object(service))
        return err_set(err, ERR_PARK, "compose.yaml: %s: must be a map", name);
    if (check_keys(service, service_keys, name, err) < 0)
        return -1;
    const char *user = json_str(service, "user");
    if (!user || !str_to_int(user, 1, 65535, &uid))
        return err_set(err, ERR_PARK, "compose.yaml: %s: user must be a number from 1 (never root)", name);
    json_array_foreach(json_object_get(service, "volumes"), i, v) {
        if (check_volume(json_string_value(v), name, err) < 0)
            return -1;
    }
    json_array_foreach(json_object_get(service, "tmpfs"), i, v) {
        if (!json_is_string(v) || json_string_value(v)[0] != '/')
            return err_set(err, ERR_PARK, "compose.yaml: %s: tmpfs must be paths", name);
    }
    if (check_duration(name, service, "stop_grace_period", err) < 0 ||
        check_order(name, service, services, err) < 0)
        return -1;
    return check_health(name, json_object_get(service, "healthcheck"), err);
}

static json_t *parse_template(const char *text, const json_t *spec, struct err *err) {
    json_t *template = yaml_parse("compose.yaml", text, strlen(text), err);
    const json_t *services = json_object_get(template, "services");
    const char *name;
    json_t *v;
    int rc = template ? check_keys(template, (const char *const[]){"services", NULL}, "top", err) : -1;
    if (rc == 0 && json_object_size(services) == 0)
        rc = err_set(err, ERR_PARK, "compose.yaml: has no services");
    json_object_foreach((json_t *)(uintptr_t)services, name, v) {
        if (rc == 0 && !json_object_get(json_object_get(spec, "services"), name))
            rc = err_set(err, ERR_PARK, "compose.yaml: service \"%s\" is not in app.yaml", name);
        if (rc == 0)
            rc = check_service(name, v, services, err);
    }
    json_object_foreach(json_object_get(spec, "services"), name, v) {
        if (rc == 0 && !json_object_get(services, name))
            rc = err_set(err, ERR_PARK, "compose.yaml: lacks the service \"%s\" of app.yaml", name);
    }
    if (rc == 0)
        return template;
    json_decref(template);
    return NULL;
}

/* ---- values into scalars ---- */

static const char *value_of(const Fairlead__V1__Stack *stack, const char *name, size_t n) {
    if (n == 8 && strncmp(name, "identity", n) == 0)
        return stack->identity;
    if (n == 10 && strncmp(name, "public_url", n) == 0)
        return stack->public_url;
    if (n == 4 && strncmp(name, "host", n) == 0)
        return stack->text;
    if (n > 7 && strncmp(name, "inputs.", 7) == 0)
        for (size_t i = 0; i < stack->n_inputs; i++)
            if (strlen(stack->inputs[i]->key) == n - 7 &&
                strncmp(stack->inputs[i]->key, name + 7, n - 7) == 0)
                return stack->inputs[i]->value;
    return NULL;
}

/* A text of the template that has no values in it: "$" is doubled all the same. */
static json_t *plain_text(const char *text) {
    cleanup_str struct str out = STR_INIT(65536);
    for (; *text; text++)
        str_adds(&out, *text == '$' ? "$$" : (const char[]){*text, '\0'});
    return json_string(str_text(&out));
}

/* The text with its {{names}} replaced and every "$" doubled, so that Compose reads none as a variable. */
static json_t *fill_text(const Fairlead__V1__Stack *stack, const char *text, struct err *err) {
    cleanup_str struct str out = STR_INIT(65536);
    while (*text) {
        const char *open = strstr(text, "{{");
        const char *close = open ? strstr(open, "}}") : NULL;
        size_t plain = close ? (size_t)(open - text) : strlen(text);
        for (size_t i = 0; i < plain; i++)
            str_adds(&out, text[i] == '$' ? "$$" : (const char[]){text[i], '\0'});
        if (!close)
            break;
        const char *name = open + 2 + strspn(open + 2, " ");
        size_t n = strcspn(name, " }");
        const char *value = value_of(stack, name, n);
        if (!value) {
            (void)err_set(err, ERR_PARK, "compose.yaml: \"{{%.*s}}\" is no value of this app", (int)n, name);
            return NULL;
        }
        for (const char *p = value; *p; p++)
            str_adds(&out, *p == '$' ? "$$" : (const char[]){*p, '\0'});
        text = close + 2;
    }
    json_t *filled = str_is_cut(&out) ? NULL : json_string(str_text(&out));
    if (!filled)
        (void)err_set(err, ERR_PARK, "compose.yaml: a value is too long or is not UTF-8");
    return filled;
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

static json_t *fill(const Fairlead__V1__Stack *stack, const json_t *v, struct err *err) {
    const char *key;
    json_t *item, *filled;
    size_t i;
    if (json_is_string(v))
        return fill_text(stack, json_string_value(v), err);
    if (json_is_array(v)) {
        cleanup_json json_t *list = json_array();
        json_array_foreach(v, i, item) {
            if (!(filled = fill(stack, item, err)) || json_array_append_new(list, filled) < 0)
                return NULL;
        }
        return json_incref(list);
    }
    cleanup_json json_t *map = json_object();
    json_object_foreach((json_t *)(uintptr_t)v, key, item) {
        if (!(filled = fill(stack, item, err)) || json_object_set_new(map, key, filled) < 0)
            return NULL;
    }
    return json_incref(map);
}

/* ---- what is emitted whoever wrote the template ---- */

static const char *image_of(const Fairlead__V1__Stack *stack, const char *name) {
    for (size_t i = 0; i < stack->n_images; i++)
        if (str_eq(stack->images[i]->key, name))
            return stack->images[i]->value;
    return NULL;
}

static int add_image(const struct render_input *in, const char *name, const json_t *rule, json_t *out,
                     struct err *err) {
    const char *image = image_of(in->stack, json_str(rule, "image"));
    if (!image || !name_is_image(image))
        return err_set(err, ERR_PARK, "service \"%s\": no digest is known for image \"%s\"", name,
                       json_str(rule, "image"));
    return json_object_set_new(out, "image", json_sprintf("%s/%s", in->registry, image));
}

static void add_limits(const struct render_input *in, const json_t *rule, json_t *out) {
    int64_t memory = in->stack->memory_mb * json_int(rule, "memory_share", 100) / 100;
    int64_t cpu = in->stack->cpu_milli * json_int(rule, "cpu_share", 100) / 100;
    (void)json_object_set_new(out, "mem_limit",
                              json_sprintf("%lldm", (long long)(memory > 16 ? memory : 16)));
    (void)json_object_set_new(out, "cpus", json_real((double)(cpu > 10 ? cpu : 10) / 1000));
    (void)json_object_set_new(out, "pids_limit", json_integer(in->stack->pids));
}

static int check_caps(const char *name, const json_t *rule, struct err *err) {
    static const char *const grantable[] = {"CHOWN",        "SETUID",           "SETGID", "FOWNER",
                                            "DAC_OVERRIDE", "NET_BIND_SERVICE", NULL};
    size_t i;
    json_t *cap;
    json_array_foreach(json_object_get(rule, "caps"), i, cap) {
        const char *const *g = grantable;
        while (*g && !str_eq(*g, json_string_value(cap)))
            g++;
        if (!*g)
            return err_set(err, ERR_PARK, "service \"%s\": the capability \"%s\" is never granted", name,
                           json_string_value(cap));
    }
    return 0;
}

static int add_rights(const char *name, const json_t *rule, json_t *out, struct err *err) {
    if (check_caps(name, rule, err) < 0)
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

static void add_labels(const struct render_input *in, int64_t grace_s, json_t *out) {
    (void)json_object_set_new(
        out, "labels",
        json_pack("{s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:o}", "fairlead.node", in->node, "fairlead.instance",
                  in->instance, "fairlead.revision", json_sprintf("%llu", (unsigned long long)in->revision),
                  "fairlead.generation", json_sprintf("%llu", (unsigned long long)in->generation),
                  "fairlead.identity", in->stack->identity, "fairlead.name", in->stack->instance_name,
                  "fairlead.host", in->stack->text, RENDER_GRACE_LABEL,
                  json_sprintf("%lld", (long long)grace_s)));
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
                                            render_volume(&arena, in->instance, name), "labels",
                                            "fairlead.instance", in->instance, "fairlead.node", in->node));
    }
    add_secrets(in, service, volumes);
    if (json_array_size(volumes))
        (void)json_object_set(out, "volumes", volumes);
    json_decref(volumes);
    arena_release(&arena);
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
        json_t *filled = v ? fill(in->stack, v, err) : NULL;
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
    (void)json_object_set_new(out, "networks", json_pack("[s]", "private"));
    if (str_eq(json_str(health, "service"), name))
        (void)json_object_set_new(
            out, "ports",
            json_pack("[o]", json_sprintf("%s:%u:%lld", in->stack->address, in->stack->port,
                                          (long long)json_int(health, "port", 0))));
    return json_incref(out);
}

int render_compose(const struct render_input *input, json_t **ret_json, char **ret_text, struct err *err) {
    cleanup_json json_t *template = parse_template(input->stack->template_, input->spec, err);
    cleanup_json json_t *services = json_object(), *volumes = json_object();
    const char *name;
    json_t *v;
    if (!template)
        return -1;
    json_object_foreach(json_object_get(template, "services"), name, v) {
        json_t *service = render_service(input, name, v, volumes, err);
        if (!service || json_object_set_new(services, name, service) < 0)
            return -1;
    }
    cleanup_json json_t *file =
        json_pack("{s:O, s:{s:{s:{s:s, s:s}}}}", "services", services, "networks", "private", "labels",
                  "fairlead.instance", input->instance, "fairlead.node", input->node);
    if (input->subnet && *input->subnet)
        (void)json_object_set_new(json_object_get(json_object_get(file, "networks"), "private"), "ipam",
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

/* Every {{name}} is one that instances will have. */
static int check_values(const json_t *template, const json_t *spec, struct err *err) {
    struct arena arena = {0};
    struct vec inputs = {0};
    char some[] = "x";
    const char *name;
    json_t *rule;
    json_object_foreach(json_object_get(spec, "inputs"), name, rule) {
        Fairlead__V1__KeyValue *input = arena_new(&arena, Fairlead__V1__KeyValue);
        fairlead__v1__key_value__init(input);
        input->key = arena_strdup(&arena, name);
        input->value = some;
        *vec_add(&arena, &inputs, Fairlead__V1__KeyValue *) = input;
    }
    Fairlead__V1__Stack stack = FAIRLEAD__V1__STACK__INIT;
    stack.identity = stack.public_url = stack.text = some;
    stack.n_inputs = inputs.n;
    stack.inputs = inputs.items;
    json_t *filled = fill(&stack, json_object_get(template, "services"), err);
    json_decref(filled);
    arena_release(&arena);
    return filled ? 0 : -1;
}

int render_check_template(const char *text, const json_t *spec, struct err *err) {
    const char *name;
    json_t *rule;
    json_object_foreach(json_object_get(spec, "services"), name, rule) {
        if (check_caps(name, rule, err) < 0)
            return -1;
    }
    cleanup_json json_t *template = parse_template(text, spec, err);
    return template ? check_values(template, spec, err) : -1;
}
