#include "base/schema.h"

#include "base/mem.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct walk {
    unsigned flags;
    struct err *err;
    char path[256];
};

static int refuse(struct walk *w, const char *fmt, const char *detail) {
    char text[320];
    (void)snprintf(text, sizeof text, fmt, detail); // NOLINT: fmt is one of the literals below
    return err_set(w->err, ERR_PARK, "%s: %s", w->path[0] ? w->path : "body", text);
}

static size_t enter(struct walk *w, const char *name) {
    size_t n = strlen(w->path);
    (void)snprintf(w->path + n, sizeof w->path - n, "%s%.64s", n ? "." : "", name);
    return n;
}

static int check_fields(struct walk *w, json_t *object, const struct schema_field *fields);

static int check_string(struct walk *w, const json_t *v, const struct schema_field *f) {
    if (!json_is_string(v))
        return refuse(w, "must be a text%s", "");
    const char *s = json_string_value(v);
    if (strlen(s) != json_string_length(v))
        return refuse(w, "must not contain NUL%s", "");
    int64_t n = (int64_t)str_characters(s), max = f->max ? f->max : 4096;
    char limits[96];
    if (n < f->min || n > max) {
        if (f->min)
            (void)snprintf(limits, sizeof limits, "%lld to %lld", (long long)f->min, (long long)max);
        else
            (void)snprintf(limits, sizeof limits, "at most %lld", (long long)max);
        return refuse(w, "must have %s characters", limits);
    }
    for (const char *const *one = f->values; one && !str_eq(*one, s); one++) {
        if (one[0] && one[1])
            continue;
        cleanup_str struct str list = STR_INIT(256);
        for (one = f->values; *one; one++)
            str_addf(&list, "%s%s", list.n ? ", " : "", *one);
        return refuse(w, "must be one of: %s", str_text(&list));
    }
    if (f->check && !f->check(s))
        return refuse(w, "must be %s", f->rule ? f->rule : "well-formed");
    return 0;
}

static int check_int(struct walk *w, json_t *parent, json_t *v, const struct schema_field *f) {
    int64_t n;
    char limits[96];
    (void)snprintf(limits, sizeof limits, "%lld to %lld", (long long)f->min, (long long)f->max);
    if (json_is_integer(v))
        n = json_integer_value(v);
    else if (!(w->flags & SCHEMA_TEXT) || !str_to_int(json_string_value(v), INT64_MIN, INT64_MAX, &n))
        return refuse(w, "must be a whole number from %s", limits);
    if (n < f->min || n > f->max)
        return refuse(w, "must be from %s", limits);
    return json_is_integer(v) ? 0 : json_object_set_new(parent, f->name, json_integer(n));
}

static int check_bool(struct walk *w, json_t *parent, const json_t *v, const struct schema_field *f) {
    if (json_is_boolean(v))
        return 0;
    const char *s = w->flags & SCHEMA_TEXT ? json_string_value(v) : NULL;
    if (!str_eq(s, "true") && !str_eq(s, "false"))
        return refuse(w, "must be true or false%s", "");
    return json_object_set_new(parent, f->name, json_boolean(str_eq(s, "true")));
}

static int check_item(struct walk *w, json_t *v, const struct schema_field *f) {
    if (!f->fields) {
        struct schema_field text = {.type = SCHEMA_STRING};
        return check_string(w, v, &text);
    }
    if (!json_is_object(v))
        return refuse(w, "must be an object%s", "");
    return check_fields(w, v, f->fields);
}

static int check_list(struct walk *w, const json_t *v, const struct schema_field *f) {
    int64_t max = f->max ? f->max : 64;
    if (!json_is_array(v) || (int64_t)json_array_size(v) < f->min || (int64_t)json_array_size(v) > max)
        return refuse(w, "must be a list%s", f->min ? " that is not empty" : " of at most 64");
    size_t i;
    json_t *item;
    json_array_foreach(v, i, item) {
        char index[24];
        (void)snprintf(index, sizeof index, "%zu", i);
        size_t back = enter(w, index);
        if (!f->fields) {
            struct schema_field text = {
                .type = SCHEMA_STRING, .min = 1, .values = f->values, .check = f->check, .rule = f->rule};
            if (check_string(w, item, &text) < 0)
                return -1;
        } else if (check_item(w, item, f) < 0) {
            return -1;
        }
        w->path[back] = '\0';
    }
    return 0;
}

static int check_map(struct walk *w, json_t *v, const struct schema_field *f) {
    if (!json_is_object(v) || json_object_size(v) > 64)
        return refuse(w, "must be an object of at most 64 keys%s", "");
    const char *key;
    json_t *item;
    void *next;
    json_object_foreach_safe(v, next, key, item) {
        size_t back = enter(w, key);
        if (f->check && !f->check(key))
            return refuse(w, "the key must be %s", f->rule ? f->rule : "well-formed");
        if (check_item(w, item, f) < 0)
            return -1;
        w->path[back] = '\0';
    }
    return 0;
}

static int check_value(struct walk *w, json_t *parent, json_t *v, const struct schema_field *f) {
    switch (f->type) {
    case SCHEMA_STRING:
        return check_string(w, v, f);
    case SCHEMA_INT:
        return check_int(w, parent, v, f);
    case SCHEMA_BOOL:
        return check_bool(w, parent, v, f);
    case SCHEMA_LIST:
        return check_list(w, v, f);
    case SCHEMA_OBJECT:
        return json_is_object(v) ? check_fields(w, v, f->fields) : refuse(w, "must be an object%s", "");
    case SCHEMA_MAP:
        return check_map(w, v, f);
    case SCHEMA_ANY:
    case SCHEMA_END:
        break;
    }
    return 0;
}

static int fill_default(json_t *object, const struct schema_field *f) {
    int64_t n;
    if (!f->otherwise)
        return 0;
    if (f->type == SCHEMA_INT && str_to_int(f->otherwise, INT64_MIN, INT64_MAX, &n))
        return json_object_set_new(object, f->name, json_integer(n));
    if (f->type == SCHEMA_BOOL)
        return json_object_set_new(object, f->name, json_boolean(str_eq(f->otherwise, "true")));
    if (f->type == SCHEMA_STRING)
        return json_object_set_new(object, f->name, json_string(f->otherwise));
    return json_object_set_new(object, f->name, f->type == SCHEMA_LIST ? json_array() : json_object());
}

static int check_fields(struct walk *w, json_t *object, const struct schema_field *fields) {
    const char *key;
    json_t *v;
    json_object_foreach(object, key, v) {
        const struct schema_field *f = fields;
        while (f->type != SCHEMA_END && strcmp(f->name, key) != 0)
            f++;
        if (f->type == SCHEMA_END) {
            cleanup_str struct str known = STR_INIT(256);
            for (f = fields; f->type != SCHEMA_END; f++)
                str_addf(&known, "%s%s", known.n ? ", " : "", f->name);
            (void)enter(w, key);
            return refuse(w, "is not known here; known are: %s", str_text(&known));
        }
    }
    for (const struct schema_field *f = fields; f->type != SCHEMA_END; f++) {
        size_t back = enter(w, f->name);
        v = json_object_get(object, f->name);
        if (!v || json_is_null(v)) {
            if (f->required)
                return refuse(w, "is required%s", "");
            if (fill_default(object, f) < 0)
                return refuse(w, "has no default%s", "");
        } else if (check_value(w, object, v, f) < 0) {
            return -1;
        }
        w->path[back] = '\0';
    }
    return 0;
}

int schema_check(json_t *object, const struct schema_field *fields, unsigned flags, struct err *err) {
    struct walk w = {.flags = flags, .err = err};
    if (!json_is_object(object))
        return refuse(&w, "must be an object%s", "");
    return check_fields(&w, object, fields);
}

static const char *type_name(const struct schema_field *f) {
    static const char *const names[] = {"",     "text",   "number", "true or false",
                                        "list", "object", "map",    "any"};
    return names[f->type];
}

static void add_rows(struct str *out, const struct schema_field *fields, const char *prefix) {
    for (const struct schema_field *f = fields; f->type != SCHEMA_END; f++) {
        str_addf(out, "| `%s%s` | %s%s | %s%s%s | %s%s%s |\n", prefix, f->name, type_name(f),
                 f->required ? ", required" : "", f->otherwise ? "`" : "", f->otherwise ? f->otherwise : "",
                 f->otherwise ? "`" : "", f->help ? f->help : "", f->rule ? "; " : "",
                 f->rule ? f->rule : "");
        if (!f->fields)
            continue;
        char deeper[128];
        (void)snprintf(deeper, sizeof deeper, "%s%s%s", prefix, f->name,
                       f->type == SCHEMA_LIST  ? "[]."
                       : f->type == SCHEMA_MAP ? ".*."
                                               : ".");
        add_rows(out, f->fields, deeper);
    }
}

char *schema_markdown(const struct schema_field *fields) {
    struct str out = STR_INIT(65536);
    str_adds(&out, "| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
    add_rows(&out, fields, "");
    return out.s;
}
