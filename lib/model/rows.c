#include "model/rows.h"

const char *const timer_kind_names[TIMER_KIND_COUNT] = {
    [TIMER_EXPIRE] = "expire",     [TIMER_WORK] = "work",       [TIMER_PLACE] = "place",
    [TIMER_INSTANCE] = "instance", [TIMER_REFRESH] = "refresh",
};

const char *const set_state_names[SET_GONE + 1] = {
    [SET_PLANNED] = "planned",
    [SET_PLACED] = "placed",
    [SET_GONE] = "gone",
};
