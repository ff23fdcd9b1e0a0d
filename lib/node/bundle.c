#include "node/bundle.h"

#include "base/json.h"
#include "base/str.h"
#include "io/sign.h"
#include "node/envelope.h"

#include <string.h>

/* False: it is none. */
static bool read_record(const json_t *json, struct arena *arena, struct kcons_record *ret) {
    const char *topic = json_str(json, "topic"), *key = json_str(json, "key"),
               *value = json_str(json, "value");
    if (!topic || !key || !value)
        return false;
    *ret = (struct kcons_record){.topic = arena_strdup(arena, topic)};
    ret->key = sign_unbase64(key, arena, &ret->key_n);
    ret->value = sign_unbase64(value, arena, &ret->value_n);
    return ret->key && ret->value && ret->value_n <= ENVELOPE_BYTES_MAX;
}

int bundle_read(const char *text, size_t n, struct uuid node, struct arena *arena,
                void (*take)(void *arg, const struct kcons_record *record), void *arg,
                const char **ret_made_at, struct err *err) {
    struct uuid of;
    size_t i;
    json_t *item;
    cleanup_json json_t *json = json_parse(text, n, err);
    const json_t *records = json_object_get(json, "records");
    if (!json || !json_is_array(records) || !uuid_parse(json_str(json, "node"), &of) ||
        !json_str(json, "made_at"))
        return err_set(err, ERR_PARK, "this is no bundle of \"fairlead node bundle\"");
    if (!uuid_eq(of, node)) {
        char *name = arena_strdup(arena, json_str(json, "name") ? json_str(json, "name") : "");
        (void)str_make_plain(name);
        return err_set(err, ERR_PARK, "this bundle is for another node, \"%.60s\"", name);
    }
    struct kcons_record *all = arena_alloc(arena, (json_array_size(records) + 1) * sizeof *all);
    json_array_foreach(records, i, item) {
        if (!read_record(item, arena, &all[i]))
            return err_set(err, ERR_PARK, "record %zu of this bundle is none", i + 1);
    }
    char *made_at = arena_strdup(arena, json_str(json, "made_at"));
    (void)str_make_plain(made_at); /* it is shown on terminals */
    *ret_made_at = made_at;
    for (i = 0; i < json_array_size(records); i++)
        take(arg, &all[i]);
    return 0;
}
