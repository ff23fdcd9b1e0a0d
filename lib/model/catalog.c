#include "model/catalog.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct schema_field input_fields[] = {
    {.name = "title",
     .type = SCHEMA_STRING,
     .required = true,
     .min = 1,
     .max = 80,
     .help = "what a person reads"},
    {.name = "type",
     .type = SCHEMA_STRING,
     .otherwise = "text",
     .values = (const char *const[]){"text", "number", "mail", NULL},
     .help = "what may be typed: text, number or mail"},
    {.name = "required", .type = SCHEMA_BOOL, .otherwise = "false", .help = "must be given"},
    {.name = "default", .type = SCHEMA_STRING, .help = "taken when nothing is given"},
    {.name = "min",
     .type = SCHEMA_INT,
     .min = 0,
     .max = 1000000,
     .otherwise = "0",
     .help = "least length or number"},
    {.name = "max", .type = SCHEMA_INT, .min = 1, .max = 1000000, .otherwise = "200", .help = "greatest"},
    {0},
};

static const struct schema_field source_fields[] = {
    {.name = "repository",
     .type = SCHEMA_STRING,
     .required = true,
     .check = name_is_https_or_path,
     .rule = SOURCE_RULE,
     .help = "our fork"},
    {.name = "ref",
     .type = SCHEMA_STRING,
     .otherwise = "main",
     .check = name_is_ref,
     .rule = REF_RULE,
     .help = "branch, tag or commit; which commit it is, is settled when the release is registered"},
    {.name = "follow",
     .type = SCHEMA_BOOL,
     .help = "asked again for each instance that is made: two of one release may differ"},
    {.name = "path",
     .type = SCHEMA_STRING,
     .required = true,
     .check = name_is_folder,
     .rule = FOLDER_RULE,
     .help = "the build's context"},
    {.name = "dockerfile",
     .type = SCHEMA_STRING,
     .check = name_is_path,
     .rule = PATH_RULE,
     .help = "of the repository; otherwise `Dockerfile` in the context"},
    {.name = "args", .type = SCHEMA_MAP, .otherwise = "", .help = "build arguments"},
    {.name = "last_good",
     .type = SCHEMA_BOOL,
     .otherwise = "true",
     .help = "of a source that is followed: take the last good commit when the git host cannot be reached"},
    {0},
};

static const struct schema_field reader_fields[] = {
    {.name = "service",
     .type = SCHEMA_STRING,
     .required = true,
     .check = name_is_key,
     .rule = KEY_RULE,
     .help = "one of `services`"},
    {.name = "uid",
     .type = SCHEMA_INT,
     .required = true,
     .min = 1,
     .max = 65535,
     .help = "the only one who may read its file"},
    {0},
};

static const struct schema_field secret_fields[] = {
    {.name = "readers",
     .type = SCHEMA_LIST,
     .required = true,
     .min = 1,
     .max = 8,
     .fields = reader_fields,
     .help = "each gets a file of its own, /run/secrets/NAME"},
    {.name = "length", .type = SCHEMA_INT, .min = 12, .max = 64, .otherwise = "24", .help = "characters"},
    {.name = "deliver", .type = SCHEMA_BOOL, .otherwise = "false", .help = "shown to the customer once"},
    {.name = "user", .type = SCHEMA_STRING, .max = 60, .help = "the user name that goes with it"},
    {.name = "title", .type = SCHEMA_STRING, .max = 80, .help = "what a person reads beside it"},
    {0},
};

static const struct schema_field service_fields[] = {
    {.name = "image",
     .type = SCHEMA_STRING,
     .required = true,
     .check = name_is_key,
     .rule = KEY_RULE,
     .help = "one of `images`"},
    {.name = "memory_share",
     .type = SCHEMA_INT,
     .required = true,
     .min = 1,
     .max = 100,
     .help = "percent of the size's memory"},
    {.name = "cpu_share",
     .type = SCHEMA_INT,
     .required = true,
     .min = 1,
     .max = 100,
     .help = "percent of its CPU"},
    {.name = "caps", .type = SCHEMA_LIST, .otherwise = "", .help = "capabilities that it cannot do without"},
    {0},
};

static const struct schema_field expectation_fields[] = {
    {.name = "path",
     .type = SCHEMA_STRING,
     .required = true,
     .min = 1,
     .max = 200,
     .help = "what is fetched"},
    {.name = "status",
     .type = SCHEMA_INT,
     .min = 100,
     .max = 599,
     .otherwise = "200",
     .help = "and no other"},
    {.name = "header",
     .type = SCHEMA_STRING,
     .max = 200,
     .otherwise = "",
     .help = "`Name: part of its value`"},
    {.name = "body", .type = SCHEMA_STRING, .max = 200, .otherwise = "", .help = "must be contained"},
    {.name = "identity",
     .type = SCHEMA_BOOL,
     .otherwise = "false",
     .help = "the body must hold the instance's identity: for a path that needs the data store"},
    {0},
};

static const struct schema_field health_fields[] = {
    {.name = "service",
     .type = SCHEMA_STRING,
     .required = true,
     .check = name_is_key,
     .rule = KEY_RULE,
     .help = "who is published"},
    {.name = "port",
     .type = SCHEMA_INT,
     .required = true,
     .min = 1,
     .max = 65535,
     .help = "inside its container"},
    {.name = "start_s",
     .type = SCHEMA_INT,
     .min = 1,
     .max = 900,
     .otherwise = "120",
     .help = "first start at most"},
    {.name = "times",
     .type = SCHEMA_INT,
     .min = 1,
     .max = 20,
     .otherwise = "2",
     .help = "healthy answers in a row"},
    {.name = "expect",
     .type = SCHEMA_LIST,
     .required = true,
     .min = 1,
     .max = 8,
     .fields = expectation_fields,
     .help = "through the public name"},
    {0},
};

const struct schema_field catalog_fields[] = {
    {.name = "title",
     .type = SCHEMA_STRING,
     .required = true,
     .min = 1,
     .max = 80,
     .help = "name of the app"},
    {.name = "summary",
     .type = SCHEMA_STRING,
     .required = true,
     .min = 1,
     .max = 300,
     .help = "one sentence"},
    {.name = "version",
     .type = SCHEMA_STRING,
     .required = true,
     .min = 1,
     .max = 30,
     .check = name_is_ref,
     .rule = REF_RULE,
     .help = "of this release"},
    {.name = "noop",
     .type = SCHEMA_BOOL,
     .otherwise = "false",
     .help = "one step that does nothing (built in)"},
    {.name = "images",
     .type = SCHEMA_MAP,
     .otherwise = "",
     .check = name_is_key,
     .rule = KEY_RULE,
     .fields = source_fields,
     .help = "what is built, each from a source"},
    {.name = "services",
     .type = SCHEMA_MAP,
     .otherwise = "",
     .check = name_is_key,
     .rule = KEY_RULE,
     .fields = service_fields,
     .help = "the services of compose.yaml"},
    {.name = "inputs",
     .type = SCHEMA_MAP,
     .otherwise = "",
     .check = name_is_key,
     .rule = KEY_RULE,
     .fields = input_fields,
     .help = "what the customer is asked"},
    {.name = "secrets",
     .type = SCHEMA_MAP,
     .otherwise = "",
     .check = name_is_key,
     .rule = KEY_RULE,
     .fields = secret_fields,
     .help = "made on the node, never seen by the coordinator in clear"},
    {.name = "health", .type = SCHEMA_OBJECT, .fields = health_fields, .help = "when it is up"},
    {0},
};

static int check_services(const struct release *release, struct err *err) {
    const char *name;
    json_t *service;
    int64_t memory = 0, cpu = 0;
    const json_t *images = json_object_get(release->spec, "images");
    json_object_foreach(json_object_get(release->spec, "services"), name, service) {
        memory += json_int(service, "memory_share", 0);
        cpu += json_int(service, "cpu_share", 0);
        if (!json_object_get(images, json_str(service, "image")))
            return err_set(err, ERR_PARK, "services.%s.image: \"%s\" is not in images", name,
                           json_str(service, "image"));
    }
    if (memory > 100 || cpu > 100)
        return err_set(err, ERR_PARK,
                       "services: shares of memory and CPU must not exceed 100 percent together");
    return 0;
}

/* A secret that no service would get is a slip of the pen, and shows only once the app runs. */
static int check_readers(const struct release *release, struct err *err) {
    const char *name;
    json_t *secret, *reader;
    size_t i;
    const json_t *services = json_object_get(release->spec, "services");
    json_object_foreach(json_object_get(release->spec, "secrets"), name, secret) {
        json_array_foreach(json_object_get(secret, "readers"), i, reader) {
            if (!json_object_get(services, json_str(reader, "service")))
                return err_set(err, ERR_PARK, "secrets.%s.readers: \"%s\" is not in services", name,
                               json_str(reader, "service"));
        }
    }
    return 0;
}

static int judge(struct release *release, struct err *err) {
    if (schema_check(release->spec, catalog_fields, SCHEMA_TEXT, err) < 0)
        return -1;
    const json_t *health = json_object_get(release->spec, "health");
    if (json_is_true(json_object_get(release->spec, "noop"))) {
        release->needs = NEED_NOOP;
        return 0;
    }
    release->needs = NEED_STACK | NEED_NAME;
    release->trial = true;
    if (json_object_size(json_object_get(release->spec, "images")))
        release->needs |= NEED_IMAGE;
    if (!health)
        return err_set(err, ERR_PARK, "health: is required");
    if (!json_object_get(json_object_get(release->spec, "services"), json_str(health, "service")))
        return err_set(err, ERR_PARK, "health.service: \"%s\" is not in services",
                       json_str(health, "service"));
    size_t i, proofs = 0;
    json_t *expect;
    json_array_foreach(json_object_get(health, "expect"), i, expect) proofs +=
        json_is_true(json_object_get(expect, "identity"));
    if (!proofs)
        return err_set(err, ERR_PARK,
                       "health.expect: one path must prove the identity (one that needs the data store)");
    if (check_services(release, err) < 0)
        return -1;
    return check_readers(release, err);
}

struct release *release_parse(struct uuid id, const char *app, const char *version, const json_t *spec,
                              const char *template, struct err *err) {
    struct release *release = mem_alloc(sizeof *release);
    release->id = id;
    release->app = mem_strdup(app);
    release->spec = json_deep_copy(spec);
    release->template = mem_strdup(template);
    if (!json_is_object(release->spec)) {
        (void)err_set(err, ERR_PARK, "a release must be an object");
    } else if (judge(release, err) == 0) {
        release->version = mem_strdup(version ? version : json_str(release->spec, "version"));
        release->title = mem_strdup(json_str(release->spec, "title"));
        return release;
    }
    release_free(release);
    return NULL;
}

void release_free(struct release *release) {
    if (!release)
        return;
    json_decref(release->spec);
    free((void *)(uintptr_t)release->app);
    free((void *)(uintptr_t)release->version);
    free((void *)(uintptr_t)release->title);
    free((void *)(uintptr_t)release->template);
    free(release);
}

static int check_input(const json_t *field, const char *key, json_t *inputs, struct err *err) {
    const char *title = json_str(field, "title"), *type = json_str(field, "type");
    int64_t min = json_int(field, "min", 0), max = json_int(field, "max", 200), n;
    const json_t *given = json_object_get(inputs, key);
    const char *s = json_string_value(given);
    if (!given && json_str(field, "default"))
        return json_object_set_new(inputs, key, json_string(json_str(field, "default")));
    if (!given && !json_is_true(json_object_get(field, "required")))
        return json_object_set_new(inputs, key, json_string(""));
    if (!given)
        return err_set(err, ERR_PARK, "inputs.%s: \"%s\" is required", key, title);
    if (!s)
        return err_set(err, ERR_PARK, "inputs.%s: \"%s\" must be a text", key, title);
    if (str_eq(type, "number")) {
        if (!str_to_int(s, min, max, &n))
            return err_set(err, ERR_PARK, "inputs.%s: \"%s\" must be a number from %lld to %lld", key, title,
                           (long long)min, (long long)max);
        return 0;
    }
    int64_t characters = (int64_t)str_characters(s);
    if (characters > max)
        return err_set(err, ERR_PARK, "inputs.%s: \"%s\" must have at most %lld characters", key, title,
                       (long long)max);
    if (characters < min)
        return err_set(err, ERR_PARK, "inputs.%s: \"%s\" must have at least %lld characters", key, title,
                       (long long)min);
    for (const char *p = s; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return err_set(err, ERR_PARK, "inputs.%s: \"%s\" must be one line of text", key, title);
    if (str_eq(type, "mail")) {
        const char *at = strchr(s, '@');
        if (!at || at == s || !strchr(at, '.') || strpbrk(s, " \"'<>\\,;") || strchr(at + 1, '@'))
            return err_set(err, ERR_PARK, "inputs.%s: \"%s\" must be a mail address", key, title);
    }
    return 0;
}

int release_check_inputs(const struct release *release, json_t *inputs, struct err *err) {
    const json_t *fields = json_object_get(release->spec, "inputs");
    const char *key;
    json_t *v;
    json_object_foreach(inputs, key, v) {
        if (!json_object_get(fields, key))
            return err_set(err, ERR_PARK, "inputs.%.64s: \"%s\" does not ask for this", key, release->app);
    }
    /* All that is wrong at once: who fills in a form is not asked five times. */
    cleanup_str struct str wrong = STR_INIT(sizeof err->text);
    json_object_foreach((json_t *)(uintptr_t)fields, key, v) {
        struct err one = {0};
        if (check_input(v, key, inputs, &one) < 0)
            str_addf(&wrong, "%s%s", wrong.n ? "; " : "", one.text);
    }
    return wrong.n ? err_set(err, ERR_PARK, "%s", str_text(&wrong)) : 0;
}

size_t release_images(const struct release *release) {
    return json_object_size(json_object_get(release->spec, "images"));
}

const char *release_image_name(const struct release *release, size_t i) {
    void *at = json_object_iter(json_object_get(release->spec, "images"));
    while (at && i--)
        at = json_object_iter_next(json_object_get(release->spec, "images"), at);
    return at ? json_object_iter_key(at) : "";
}
