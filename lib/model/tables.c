#include "model/tables.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

const struct name_row state_rows[STATE_COUNT] = {
#define STATE(id, text, about) {.name = text, .what = about},
#include "model/tables.def"
};

const struct intent_row intent_rows[INTENT_COUNT] = {
#define INTENT(id, text, ev, about) {.name = text, .event = EVENT_##ev, .what = about},
#include "model/tables.def"
};

const struct walk_name_row walk_rows[WALK_COUNT] = {
#define WALK(id, text, again, final, ended, about)                                                           \
    {.name = text, .from = again, .end = final, .event = ended, .what = about},
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

const char role_words[] =
#define ROLE(id, text, about) " " text
#include "model/tables.def"
    ;

const struct name_row role_rows[ROLE_COUNT] = {
#define ROLE(id, text, about) {.name = text, .what = about},
#include "model/tables.def"
};

const struct order_row order_rows[] = {
#define ORDER(of, by, at, n, about)                                                                          \
    {.step = STEP_##of, .role = ROLE_##by, .topic = at, .partitions = n, .what = about},
#include "model/tables.def"
};
const int order_rows_n = sizeof order_rows / sizeof *order_rows;

const struct document_row document_rows[DOCUMENT_KIND_COUNT] = {
#define DOCUMENT(id, text, kind, whose, by, about)                                                           \
    {.name = text, .step = STEP_##kind, .of = whose, .role = ROLE_##by, .what = about},
#include "model/tables.def"
};

const struct event_type_row event_rows[EVENT_COUNT] = {
#define EVENT(id, text, fields) {.type = text, .data = fields},
#include "model/tables.def"
};

const struct cell_row cell_rows[] = {
#define CELL(in, asked, leads, about)                                                                        \
    {.state = STATE_##in, .intent = INTENT_##asked, .walk = WALK_##leads, .what = about},
#include "model/tables.def"
};
const int cell_rows_n = sizeof cell_rows / sizeof *cell_rows;

const struct act_row act_rows[] = {
#define ACT(in, text, kind, whose, wanted, before, need, about)                                              \
    {.walk = WALK_##in,                                                                                      \
     .name = text,                                                                                           \
     .step = STEP_##kind,                                                                                    \
     .of = whose,                                                                                            \
     .want = wanted,                                                                                         \
     .after = before,                                                                                        \
     .needs = need,                                                                                          \
     .what = about},
#include "model/tables.def"
};
const int act_rows_n = sizeof act_rows / sizeof *act_rows;

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

const struct act_row *act_find(enum walk walk, const char *name) {
    for (int i = 0; i < act_rows_n; i++)
        if (act_rows[i].walk == walk && str_eq(act_rows[i].name, name))
            return &act_rows[i];
    return NULL;
}

bool act_is_after(const struct act_row *row, const char *name) {
    size_t n = strlen(name);
    for (const char *word = row->after; *word; word += strcspn(word, " ")) {
        word += *word == ' ';
        if (strcspn(word, " ") == n && strncmp(word, name, n) == 0)
            return true;
    }
    return false;
}

unsigned role_bits(const char *list) {
    unsigned bits = 0;
    for (size_t n; *list; list += n + (list[n] == ',')) {
        n = strcspn(list, ",");
        for (int i = 0; i < ROLE_COUNT; i++)
            if (strlen(role_rows[i].name) == n && strncmp(role_rows[i].name, list, n) == 0)
                bits |= 1u << i;
    }
    return bits;
}

const char *role_name(unsigned role) {
    for (int i = 0; i < ROLE_COUNT; i++)
        if (role == 1u << i)
            return role_rows[i].name;
    return "any";
}

char *order_group(const struct order_row *row, char out[ORDER_GROUP_SIZE]) {
    (void)snprintf(out, ORDER_GROUP_SIZE, "fairlead-%s", row->topic + sizeof "fairlead.orders." - 1);
    return out;
}

const struct order_row *order_find(enum step_kind step) {
    for (int i = 0; i < order_rows_n; i++)
        if (order_rows[i].step == step)
            return &order_rows[i];
    return NULL;
}

enum document_kind document_kind_of_step(enum step_kind step) {
    int kind = 0;
    while (kind < DOCUMENT_KIND_COUNT && document_rows[kind].step != step)
        kind++;
    return (enum document_kind)kind;
}

enum step_outcome result_outcome(enum result_class result, bool budget_left) {
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
