#include "node/result.h"

#include <string.h>

const char *result_class_name(enum result_class class) {
    return class == RESULT_IS_OK ? "ok" : class == RESULT_IS_RETRY ? "retry" : "park";
}

void result_ok(struct result *result) {
    result->class = RESULT_IS_OK;
    result->code = result->text = NULL;
}

void result_fail(struct result *result, struct arena *arena, const char *code, const struct err *err) {
    result->class = err->cls == ERR_RETRY ? RESULT_IS_RETRY : RESULT_IS_PARK;
    result->code = code;
    result->text = arena_strdup(arena, err->text);
}

void result_fact(struct result *result, struct arena *arena, const char *key, const char *value) {
    Fairlead__V1__KeyValue *pair = arena_new(arena, Fairlead__V1__KeyValue);
    fairlead__v1__key_value__init(pair);
    pair->key = arena_strdup(arena, key);
    pair->value = arena_strdup(arena, value);
    *vec_add(arena, &result->facts, Fairlead__V1__KeyValue *) = pair;
}

Fairlead__V1__Problem *result_problem(const struct result *result, struct arena *arena) {
    const char *log = str_text(&result->log);
    size_t n = strlen(log);
    if (!result->code && !n)
        return NULL;
    Fairlead__V1__Problem *problem = arena_new(arena, Fairlead__V1__Problem);
    fairlead__v1__problem__init(problem);
    problem->cls = arena_strdup(arena, result->code ? result->code : "");
    problem->text = arena_strdup(arena, result->text ? result->text : "");
    problem->lines = arena_strdup(arena, n > RESULT_LOG_MAX ? log + n - RESULT_LOG_MAX : log);
    return problem;
}

Fairlead__V1__Result result_wire(enum result_class class) {
    if (class == RESULT_IS_OK)
        return FAIRLEAD__V1__RESULT__RESULT_OK;
    return class == RESULT_IS_RETRY ? FAIRLEAD__V1__RESULT__RESULT_RETRY : FAIRLEAD__V1__RESULT__RESULT_PARK;
}
