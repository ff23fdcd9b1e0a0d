/* What carrying out an order or a document led to. Texts live in the arena of whoever asked for it. */
#ifndef FAIRLEAD_NODE_RESULT_H
#define FAIRLEAD_NODE_RESULT_H

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/tables.h"
#include "proto/fairlead.pb-c.h"

struct result {
    enum result_class class;
    const char *code, *text; /* of a failure: short and stable; one sentence */
    struct str log;          /* last output; its end is told */
    struct vec facts;        /* Fairlead__V1__KeyValue * */
};
#define RESULT_LOG_MAX 7900 /* of the output that is told */

const char *result_class_name(enum result_class class);
/* As it was asked. */
void result_ok(struct result *result);
/* Retry, or park: by the class of the error. */
void result_fail(struct result *result, struct arena *arena, const char *code, const struct err *err);
void result_fact(struct result *result, struct arena *arena, const char *key, const char *value);

/* For a report. NULL: there is nothing to say. */
Fairlead__V1__Problem *result_problem(const struct result *result, struct arena *arena);
Fairlead__V1__Result result_wire(enum result_class class);

#endif
