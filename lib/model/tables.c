#include "model/tables.h"

#include "base/str.h"

const struct name_row state_rows[STATE_COUNT] = {
#define STATE(id, text, about) {.name = text, .what = about},
#include "model/tables.def"
};

const struct intent_row intent_rows[INTENT_COUNT] = {
#define INTENT(id, text, ev, about) {.name = text, .event = ev, .what = about},
#include "model/tables.def"
};

const struct walk_name_row walk_rows[WALK_COUNT] = {
#define WALK(id, text, again, final, about) {.name = text, .from = again, .end = final, .what = about},
#include "model/tables.def"
};

const struct step_row step_rows[STEP_COUNT] = {
#define STEP(id, text, by, deadline, tries, backoff, about)                                                  \
    {.name = text,                                                                                           \
     .carrier = by,                                                                                          \
     .deadline_s = deadline,                                                                                 \
     .attempts = tries,                                                                                      \
     .backoff_s = backoff,                                                                                   \
     .what = about},
#include "model/tables.def"
};

const struct cell_row cell_rows[] = {
#define CELL(in, asked, leads, about)                                                                        \
    {.state = STATE_##in, .intent = INTENT_##asked, .walk = WALK_##leads, .what = about},
#include "model/tables.def"
};
const int cell_rows_n = sizeof cell_rows / sizeof *cell_rows;

const struct walk_step_row walk_step_rows[] = {
#define WALK_STEP(of, kind, wanted, before, need, about)                                                     \
    {.walk = WALK_##of, .step = STEP_##kind, .want = wanted, .after = before, .needs = need, .what = about},
#include "model/tables.def"
};
const int walk_step_rows_n = sizeof walk_step_rows / sizeof *walk_step_rows;

const struct transition_row transition_rows[] = {
#define TRANSITION(a, b) {.from = STATE_##a, .to = STATE_##b},
#include "model/tables.def"
};
const int transition_rows_n = sizeof transition_rows / sizeof *transition_rows;

const struct cell_row *cell_find(enum state state, enum intent_kind intent) {
    for (int i = 0; i < cell_rows_n; i++)
        if (cell_rows[i].state == state && cell_rows[i].intent == intent)
            return &cell_rows[i];
    return NULL;
}

const struct walk_step_row *walk_step_find(enum walk walk, enum step_kind step) {
    for (int i = 0; i < walk_step_rows_n; i++)
        if (walk_step_rows[i].walk == walk && walk_step_rows[i].step == step)
            return &walk_step_rows[i];
    return NULL;
}

enum outcome result_outcome(enum result result, bool budget_left) {
    if (result == RESULT_IS_OK)
        return OUTCOME_DONE;
    return result == RESULT_IS_RETRY && budget_left ? OUTCOME_AGAIN : OUTCOME_PARK;
}

bool transition_legal(enum state from, enum state to) {
    if (from == to)
        return true;
    for (int i = 0; i < transition_rows_n; i++)
        if (transition_rows[i].from == from && transition_rows[i].to == to)
            return true;
    return false;
}
