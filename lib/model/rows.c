#include "model/rows.h"

const char *const document_kind_names[DOCUMENT_KIND_COUNT] = {
    [DOCUMENT_STACK] = "stack",
    [DOCUMENT_ROUTE] = "route",
    [DOCUMENT_WATCH] = "watch",
};

const char *const timer_kind_names[TIMER_KIND_COUNT] = {
    [TIMER_EXPIRE] = "expire",
    [TIMER_WORK] = "work",
    [TIMER_PLACE] = "place",
    [TIMER_INSTANCE] = "instance",
};

enum document_kind document_kind_of_step(enum step_kind step) {
    switch (step) {
    case STEP_STACK:
        return DOCUMENT_STACK;
    case STEP_ROUTE:
        return DOCUMENT_ROUTE;
    case STEP_WATCH:
        return DOCUMENT_WATCH;
    case STEP_PLACE:
    case STEP_RESOLVE:
    case STEP_BUILD:
    case STEP_NAME:
    case STEP_WAIT:
    case STEP_VERIFY:
    case STEP_NOOP:
    case STEP_COUNT:
        break;
    }
    return DOCUMENT_KIND_COUNT;
}
