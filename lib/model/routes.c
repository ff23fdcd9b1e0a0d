#include "model/routes.h"

#include "base/json.h"
#include "base/str.h"
#include "model/principal.h"
#include "model/route_fields.h"

#include <string.h>

#define NONE NULL
const struct route_row route_rows[ROUTE_COUNT] = {
#define ROUTE(name, verb, template, needs, far, sent, asked, told, form, what)                               \
    {.id = #name,                                                                                            \
     .method = verb,                                                                                         \
     .path = template,                                                                                       \
     .scope = SCOPE_##needs,                                                                                 \
     .reach = REACH_##far,                                                                                   \
     .body = sent,                                                                                           \
     .query = asked,                                                                                         \
     .answer = told,                                                                                         \
     .shape = SHAPE_##form,                                                                                  \
     .help = what},
#include "model/routes.def"
};

bool route_matches(const struct route_row *route, const char *path, const char **ret, size_t *ret_n) {
    const char *template = route->path, *first = NULL, *last = path;
    while (*template) {
        if (*template == '{') {
            size_t n = strcspn(path, "/");
            if (!n)
                return false;
            first = first ? first : path;
            last = path += n;
            template += strcspn(template, "}") + 1;
        } else if (*template ++ != *path++) {
            return false;
        }
    }
    *ret = first ? first : path;
    *ret_n = first ? (size_t)(last - first) : 0;
    return !*path;
}

static int check_items(const struct route_row *route, const json_t *answer, struct err *err) {
    json_t *item, *items = json_object_get(answer, "items"), *next = json_object_get(answer, "next");
    size_t i;
    bool page = route->shape == SHAPE_PAGE;
    if (!json_is_array(items) || json_object_size(answer) != (page ? 2 : 1) ||
        (page && !json_is_string(next) && !json_is_null(next)))
        return err_set(err, ERR_PARK, page ? "is no page: items, next" : "is no list: items");
    json_array_foreach(items, i, item) {
        if (schema_check(item, route->answer, 0, err) < 0)
            return -1;
    }
    return 0;
}

int route_check_answer(const struct route_row *route, json_t *answer, struct err *err) {
    if (route->shape == SHAPE_PAGE || route->shape == SHAPE_ITEMS)
        return check_items(route, answer, err);
    if (!route->answer)
        return err_set(err, ERR_PARK, "there should be none");
    return schema_check(answer, route->answer, 0, err);
}
