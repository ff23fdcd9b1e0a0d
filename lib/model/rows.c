#include "model/rows.h"

const char *const timer_kind_names[TIMER_KIND_COUNT] = {
    [TIMER_EXPIRE] = "expire",
    [TIMER_WORK] = "work",
    [TIMER_PLACE] = "place",
    [TIMER_INSTANCE] = "instance",
};
