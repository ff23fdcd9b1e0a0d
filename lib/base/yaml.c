#include "base/yaml.h"

#include "base/json.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define DEPTH_MAX 16
#define NODES_MAX 20000

struct reader {
    yaml_parser_t parser;
    const char *name;
    int depth, nodes;
    struct err *err;
};

static json_t *refuse(const struct reader *r, yaml_mark_t mark, const char *reason) {
    (void)err_set(r->err, ERR_PARK, "%s:%zu:%zu: %s", r->name, mark.line + 1, mark.column + 1, reason);
    return NULL;
}

static int next_event(struct reader *r, yaml_event_t *event) {
    if (yaml_parser_parse(&r->parser, event))
        return 0;
    (void)refuse(r, r->parser.problem_mark, r->parser.problem ? r->parser.problem : "cannot be read");
    return -1;
}

static json_t *read_node(struct reader *r, yaml_event_t *event);

static json_t *read_scalar(const struct reader *r, const yaml_event_t *event) {
    const char *s = (const char *)event->data.scalar.value;
    if (strlen(s) != event->data.scalar.length)
        return refuse(r, event->start_mark, "a value must not contain NUL");
    json_t *v = json_string(s);
    return v ? v : refuse(r, event->start_mark, "a value is not valid UTF-8");
}

static json_t *read_list(struct reader *r) {
    cleanup_json json_t *list = json_array();
    for (;;) {
        yaml_event_t event;
        if (next_event(r, &event) < 0)
            return NULL;
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        json_t *item = end ? NULL : read_node(r, &event);
        yaml_event_delete(&event);
        if (end)
            return json_incref(list);
        if (!item || json_array_append_new(list, item) < 0)
            return NULL;
    }
}

static json_t *read_map(struct reader *r) {
    cleanup_json json_t *map = json_object();
    for (;;) {
        yaml_event_t event;
        if (next_event(r, &event) < 0)
            return NULL;
        yaml_mark_t mark = event.start_mark;
        bool end = event.type == YAML_MAPPING_END_EVENT;
        cleanup_json json_t *key = end ? NULL : read_node(r, &event);
        yaml_event_delete(&event);
        if (end)
            return json_incref(map);
        if (!key)
            return NULL;
        if (!json_is_string(key))
            return refuse(r, mark, "a key must be plain text");
        if (json_object_get(map, json_string_value(key)))
            return refuse(r, mark, "a key stands twice");
        if (next_event(r, &event) < 0)
            return NULL;
        json_t *v = read_node(r, &event);
        yaml_event_delete(&event);
        if (!v || json_object_set_new(map, json_string_value(key), v) < 0)
            return NULL;
    }
}

static json_t *read_node(struct reader *r, yaml_event_t *event) {
    if (++r->nodes > NODES_MAX)
        return refuse(r, event->start_mark, "too many values");
    switch ((int)event->type) {
    case YAML_SCALAR_EVENT:
        if (event->data.scalar.anchor || event->data.scalar.tag)
            return refuse(r, event->start_mark, "anchors and tags are not used here");
        return read_scalar(r, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT: {
        bool list = event->type == YAML_SEQUENCE_START_EVENT;
        if (list ? event->data.sequence_start.anchor || event->data.sequence_start.tag
                 : event->data.mapping_start.anchor || event->data.mapping_start.tag)
            return refuse(r, event->start_mark, "anchors and tags are not used here");
        if (++r->depth > DEPTH_MAX)
            return refuse(r, event->start_mark, "nested too deep");
        json_t *v = list ? read_list(r) : read_map(r);
        r->depth--;
        return v;
    }
    case YAML_ALIAS_EVENT:
        return refuse(r, event->start_mark, "aliases are not used here");
    default:
        return refuse(r, event->start_mark, "a value is missing");
    }
}

static json_t *read_document(struct reader *r) {
    cleanup_json json_t *root = NULL;
    for (;;) {
        yaml_event_t event;
        if (next_event(r, &event) < 0)
            return NULL;
        bool end = event.type == YAML_STREAM_END_EVENT;
        bool bad = false;
        if (event.type == YAML_DOCUMENT_START_EVENT && root)
            bad = !refuse(r, event.start_mark, "a second document");
        else if (event.type != YAML_STREAM_START_EVENT && event.type != YAML_DOCUMENT_START_EVENT &&
                 event.type != YAML_DOCUMENT_END_EVENT && !end)
            bad = !(root = read_node(r, &event));
        yaml_event_delete(&event);
        if (bad)
            return NULL;
        if (end)
            break;
    }
    if (!root) {
        (void)err_set(r->err, ERR_PARK, "%s: is empty", r->name);
        return NULL;
    }
    return json_incref(root);
}

json_t *yaml_parse(const char *name, const char *text, size_t n, struct err *err) {
    struct reader r = {.name = name, .err = err};
    if (n > YAML_BYTES_MAX) {
        (void)err_set(err, ERR_PARK, "%s: is larger than %d bytes", name, YAML_BYTES_MAX);
        return NULL;
    }
    if (!yaml_parser_initialize(&r.parser))
        abort();
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n);
    json_t *root = read_document(&r);
    yaml_parser_delete(&r.parser);
    return root;
}

static int emit_event(yaml_emitter_t *emitter, yaml_event_t *event) {
    return yaml_emitter_emit(emitter, event) ? 0 : -1;
}

static int emit_scalar(yaml_emitter_t *emitter, const char *s, yaml_scalar_style_t style) {
    yaml_event_t event;
    if (!yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)s, (int)strlen(s), 1, 1,
                                      style))
        return -1;
    return emit_event(emitter, &event);
}

static int emit_value(yaml_emitter_t *emitter, const json_t *json) {
    yaml_event_t event;
    char number[32];
    const char *key;
    json_t *v;
    size_t i;
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        if (!yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE) ||
            emit_event(emitter, &event) < 0)
            return -1;
        json_object_foreach((json_t *)(uintptr_t)json, key, v) {
            if (emit_scalar(emitter, key, YAML_ANY_SCALAR_STYLE) < 0 || emit_value(emitter, v) < 0)
                return -1;
        }
        return yaml_mapping_end_event_initialize(&event) ? emit_event(emitter, &event) : -1;
    case JSON_ARRAY:
        if (!yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE) ||
            emit_event(emitter, &event) < 0)
            return -1;
        json_array_foreach(json, i, v) {
            if (emit_value(emitter, v) < 0)
                return -1;
        }
        return yaml_sequence_end_event_initialize(&event) ? emit_event(emitter, &event) : -1;
    case JSON_STRING:
        return emit_scalar(emitter, json_string_value(json), YAML_DOUBLE_QUOTED_SCALAR_STYLE);
    case JSON_INTEGER:
        (void)snprintf(number, sizeof number, "%lld", (long long)json_integer_value(json));
        return emit_scalar(emitter, number, YAML_PLAIN_SCALAR_STYLE);
    case JSON_REAL:
        (void)snprintf(number, sizeof number, "%.6g", json_real_value(json));
        return emit_scalar(emitter, number, YAML_PLAIN_SCALAR_STYLE);
    case JSON_TRUE:
    case JSON_FALSE:
        return emit_scalar(emitter, json_is_true(json) ? "true" : "false", YAML_PLAIN_SCALAR_STYLE);
    case JSON_NULL:
        return emit_scalar(emitter, "null", YAML_PLAIN_SCALAR_STYLE);
    }
    return -1;
}

static int append(void *arg, unsigned char *p, size_t n) {
    str_add(arg, p, n);
    return !str_is_cut(arg);
}

static int emit_document(yaml_emitter_t *emitter, const json_t *json) {
    yaml_event_t event;
    if (!yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) || emit_event(emitter, &event) < 0 ||
        !yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1) ||
        emit_event(emitter, &event) < 0 || emit_value(emitter, json) < 0 ||
        !yaml_document_end_event_initialize(&event, 1) || emit_event(emitter, &event) < 0 ||
        !yaml_stream_end_event_initialize(&event))
        return -1;
    return emit_event(emitter, &event);
}

char *yaml_emit(const json_t *json, struct err *err) {
    cleanup_str struct str out = STR_INIT(262144);
    yaml_emitter_t emitter;
    if (!yaml_emitter_initialize(&emitter))
        abort();
    yaml_emitter_set_output(&emitter, append, &out);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, -1);
    int rc = emit_document(&emitter, json);
    yaml_emitter_delete(&emitter);
    if (rc < 0) {
        (void)err_set(err, ERR_PARK,
                      "cannot write YAML: a value is not valid UTF-8 or the file is too large");
        return NULL;
    }
    char *text = out.s;
    out = STR_INIT(0);
    return text;
}
