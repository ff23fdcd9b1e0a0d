#include "model/template.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/yaml.h"
#include "model/names.h"

#include <stdio.h>
#include <string.h>

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

json_t *template_parse(const char *text, const json_t *spec, struct err *err) {
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

json_t *template_fill(const Fairlead__V1__Stack *stack, const json_t *v, struct err *err) {
    const char *key;
    json_t *item, *filled;
    size_t i;
    if (json_is_string(v))
        return fill_text(stack, json_string_value(v), err);
    if (json_is_array(v)) {
        cleanup_json json_t *list = json_array();
        json_array_foreach(v, i, item) {
            if (!(filled = template_fill(stack, item, err)) || json_array_append_new(list, filled) < 0)
                return NULL;
        }
        return json_incref(list);
    }
    cleanup_json json_t *map = json_object();
    json_object_foreach((json_t *)(uintptr_t)v, key, item) {
        if (!(filled = template_fill(stack, item, err)) || json_object_set_new(map, key, filled) < 0)
            return NULL;
    }
    return json_incref(map);
}

/* ---- what a new one must hold besides ---- */

int template_check_caps(const char *name, const json_t *rule, struct err *err) {
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
    json_t *filled = template_fill(&stack, json_object_get(template, "services"), err);
    json_decref(filled);
    arena_release(&arena);
    return filled ? 0 : -1;
}

/* Its file is readable for one user, so that must be the one that the service runs as. */
static int check_uids(const json_t *template, const json_t *spec, struct err *err) {
    const json_t *services = json_object_get(template, "services");
    const char *name;
    json_t *secret, *reader;
    size_t i;
    json_object_foreach(json_object_get(spec, "secrets"), name, secret) {
        json_array_foreach(json_object_get(secret, "readers"), i, reader) {
            const char *service = json_str(reader, "service");
            const char *user = json_str(json_object_get(services, service), "user");
            int64_t uid;
            if (str_to_int(user, 1, 65535, &uid) && uid != json_int(reader, "uid", 0))
                return err_set(err, ERR_PARK,
                               "secrets.%s.readers: the service \"%s\" runs as %lld (user in compose.yaml), "
                               "and could not read a file of uid %lld",
                               name, service, (long long)uid, (long long)json_int(reader, "uid", 0));
        }
    }
    return 0;
}

/* What is expected through the public name is the same for every instance: nothing is put into it. */
static int check_expectations(const json_t *spec, struct err *err) {
    static const char *const texts[] = {"path", "header", "body"};
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(json_object_get(spec, "health"), "expect"), i, row) {
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
            const char *text = json_str(row, texts[t]);
            if (text && strstr(text, "{{"))
                return err_set(
                    err, ERR_PARK,
                    "health.expect: %s: \"%.60s\": values such as {{inputs.NAME}} stand in compose.yaml "
                    "only; what is expected here is the same for all",
                    texts[t], text);
        }
        if (json_str(row, "path")[0] != '/')
            return err_set(err, ERR_PARK, "health.expect: path: \"%.60s\" must begin with /",
                           json_str(row, "path"));
    }
    return 0;
}

int template_check(const char *text, const json_t *spec, struct err *err) {
    const char *name;
    json_t *rule;
    json_object_foreach(json_object_get(spec, "services"), name, rule) {
        if (template_check_caps(name, rule, err) < 0)
            return -1;
    }
    cleanup_json json_t *template = template_parse(text, spec, err);
    if (!template || check_values(template, spec, err) < 0 || check_uids(template, spec, err) < 0)
        return -1;
    return check_expectations(spec, err);
}
