/* What of a record is believed: whose key signed it, what it says, and what that means to decisions. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "coordinator/ingest_own.h"
#include "coordinator/topics.h"
#include "proto/fairlead.pb-c.h"
#include "sql/queries.h"

#include <string.h>
#include <uthash.h>

#define DEAD_BYTES_MAX 4096 /* of a record that is kept */
#define FACTS_MAX 64        /* of one report; what goes beyond is left out, or cut */
#define FACT_MAX 1000
#define BOXES_MAX 16 /* sealed, of one report: one for each of an app's secrets */
#define BOX_MAX 1024
#define NONCE_SIZE 16
#define SAID_MAX_US (INT64_C(7258118400) * CLOCK_S) /* the year 2200 */
/* A clock that is off; one that seems to be behind may also have waited to be read. */
#define AHEAD_S 60
#define BEHIND_S 300

struct node_key {
    struct uuid id;
    struct keyring ring; /* its key: empty before it has enrolled */
    unsigned roles;
    struct uuid private_plane; /* nil: it is the provider's */
    bool by_file;              /* what it says is as old as who carried it was slow */
};

void ingest_keep_dead(struct haul *haul, struct uuid node_id, const char *reason, struct bytes bytes) {
    struct dead_letter *last =
        haul->dead.n ? *vec_at(&haul->dead, struct dead_letter *, haul->dead.n - 1) : NULL;
    if (last && bytes.n && last->bytes.p == bytes.p)
        return; /* one of a record, which may hold thousands of reports */
    struct dead_letter *dead = arena_new(&haul->arena, struct dead_letter);
    if (bytes.n > DEAD_BYTES_MAX)
        bytes.n = DEAD_BYTES_MAX;
    *dead = (struct dead_letter){.id = uuid_make(clock_wall_us()),
                                 .node_id = node_id,
                                 .source = TOPIC_REPORTS,
                                 .reason = arena_strdup(&haul->arena, reason),
                                 .bytes = bytes,
                                 .created_at = clock_wall_us()};
    *vec_add(&haul->arena, &haul->dead, const void *) = dead;
}

static struct uuid id_of(ProtobufCBinaryData data) {
    struct uuid id = {0};
    if (data.len == sizeof id.b)
        memcpy(id.b, data.data, sizeof id.b);
    return id;
}

static const struct node_key *find_key(const struct haul *haul, struct uuid id) {
    for (size_t i = 0; i < haul->keys.n; i++)
        if (uuid_eq(vec_at(&haul->keys, struct node_key, i)->id, id))
            return vec_at(&haul->keys, struct node_key, i);
    return NULL;
}

/* The key of a record is the node that claims to speak; its row says whether that may be. */
static int load_keys(struct ingest *ingest, struct haul *haul, struct err *err) {
    struct pg_params params = {.arena = &haul->arena};
    struct vec ids = {0};
    for (size_t i = 0; i < haul->n; i++)
        if (haul->records[i].key_n == sizeof(struct uuid))
            memcpy(vec_add(&haul->arena, &ids, struct uuid), haul->records[i].key, sizeof(struct uuid));
    pg_params_uuids(&params, ids.items, ids.n);
    cleanup_result PGresult *res = pg_run(ingest->pg, query_nodes_keys, &params, err);
    if (!res)
        return -1;
    for (int row = 0; row < PQntuples(res); row++) {
        struct node_key *key = vec_add(&haul->arena, &haul->keys, struct node_key);
        key->id = pg_uuid(res, row, 0);
        if (PQgetlength(res, row, 1) == SIGN_PUBLIC_SIZE)
            (void)keyring_add(&key->ring, (const uint8_t *)PQgetvalue(res, row, 1));
        key->roles = (unsigned)pg_int(res, row, 2);
        key->private_plane = pg_uuid(res, row, 3);
        key->by_file = str_eq(pg_text(res, row, 4), "file");
    }
    return 0;
}

static void unreadable(struct haul *haul, struct uuid node_id, const char *reason) {
    haul->unread++;
    ingest_keep_dead(haul, node_id, reason, haul->record);
}

/* Text of a node: at most so many bytes, cut between characters and marked, and valid UTF-8, or PostgreSQL
 * refuses the whole batch. */
static const char *clean_text(struct arena *arena, const char *text, size_t max) {
    size_t n = text ? str_cut_at(text, max) : 0;
    if (!n)
        return NULL;
    char *copy = arena_printf(arena, "%.*s%s", (int)n, text, text[n] ? STR_CUT_MARK : "");
    if (!str_make_plain(copy)) /* it is shown on terminals */
        return NULL;
    cleanup_json json_t *probe = json_string(copy);
    for (char *p = copy; *p && !probe; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    return copy;
}

static const char *facts_text(struct arena *arena, Fairlead__V1__KeyValue *const *facts, size_t n) {
    cleanup_json json_t *object = json_object();
    for (size_t i = 0; i < n && i < FACTS_MAX; i++) {
        const char *key = clean_text(arena, facts[i]->key, 60);
        const char *text = clean_text(arena, facts[i]->value, FACT_MAX);
        if (key)
            (void)json_object_set_new(object, key, json_string(text ? text : ""));
    }
    cleanup_free char *text = json_text(object);
    return arena_strdup(arena, text);
}

static struct problem problem_of(struct arena *arena, const Fairlead__V1__Problem *problem) {
    if (!problem)
        return (struct problem){0};
    return (struct problem){clean_text(arena, problem->cls, 60), clean_text(arena, problem->text, 1000),
                            clean_text(arena, problem->lines, 8000)};
}

static enum result_class result_of(Fairlead__V1__Result result) {
    if (result == FAIRLEAD__V1__RESULT__RESULT_OK)
        return RESULT_IS_OK;
    return result == FAIRLEAD__V1__RESULT__RESULT_RETRY ? RESULT_IS_RETRY : RESULT_IS_PARK;
}

static struct input *add_input(struct haul *haul, const struct node_key *node, enum input_kind kind) {
    struct input *input = arena_new(&haul->arena, struct input);
    input->kind = kind;
    input->seed = uuid_seed(clock_wall_us());
    input->roles = node->roles;
    input->record = haul->record;
    input->node_id = node->id;
    *vec_add(&haul->arena, &haul->inputs, struct input *) = input;
    return input;
}

static void take_order(struct haul *haul, const struct node_key *node,
                       const Fairlead__V1__OrderReport *report) {
    struct uuid instance_id = {0};
    bool is_instance = uuid_parse(report->subject, &instance_id);
    struct input *input = add_input(haul, node, is_instance ? INPUT_ORDER : INPUT_WORK);
    input->instance_id = instance_id;
    input->work_key = clean_text(&haul->arena, report->subject, 300);
    input->event.kind = DECIDE_ORDER;
    input->event.order_id = id_of(report->order);
    input->event.attempt = report->attempt;
    input->event.result = result_of(report->result);
    input->event.problem = problem_of(&haul->arena, report->problem);
    input->event.facts = facts_text(&haul->arena, report->facts, report->n_facts);
}

static int known_kind(const char *text) {
    for (int i = 0; i < DOCUMENT_KIND_COUNT; i++)
        if (str_eq(document_rows[i].name, text))
            return i;
    return -1;
}

/* A letter; empty is the first. NULL: it is none. */
static const char *known_letter(struct arena *arena, const char *text) {
    if (!*text)
        return SET_FIRST;
    return text[0] >= 'a' && text[0] <= 'z' && !text[1] ? arena_strdup(arena, text) : NULL;
}

static const char *known_condition(const char *text) {
    static const char *const known[] = {"working", "healthy", "stopped", "absent", "failing"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_eq(known[i], text))
            return known[i];
    return NULL;
}

static void take_boxes(struct arena *arena, Fairlead__V1__SealedSecret *const *boxes, size_t n,
                       struct vec *ret) {
    for (size_t i = 0; i < n && i < BOXES_MAX; i++)
        if (boxes[i]->box.len <= BOX_MAX)
            *vec_add(arena, ret, struct sealed) = (struct sealed){
                clean_text(arena, boxes[i]->name, 40),
                {arena_memdup(arena, boxes[i]->box.data, boxes[i]->box.len), boxes[i]->box.len}};
}

static void take_document(struct haul *haul, const struct node_key *node, struct uuid stream, uint64_t n,
                          const Fairlead__V1__DocumentReport *report) {
    const char *condition = known_condition(report->condition),
               *letter = known_letter(&haul->arena, report->set);
    int kind = known_kind(report->kind);
    if (!condition || !letter || kind < 0) {
        unreadable(haul, node->id, "a report of a kind or condition of document that is not known");
        return;
    }
    struct input *input = add_input(haul, node, INPUT_DOCUMENT);
    input->instance_id = id_of(report->instance);
    input->event.kind = DECIDE_DOCUMENT;
    input->event.document = (struct document_report){
        .node_id = node->id,
        .kind = kind,
        .letter = letter,
        .epoch = report->epoch,
        .revision = (int64_t)report->revision,
        .condition = condition,
        .result = result_of(report->result),
        .problem = problem_of(&haul->arena, report->problem),
        .facts = facts_text(&haul->arena, report->facts, report->n_facts),
        .stream = stream,
        .n = (int64_t)n,
    };
    take_boxes(&haul->arena, report->delivered, report->n_delivered, &input->delivered);
    take_boxes(&haul->arena, report->recovery, report->n_recovery, &input->recovery);
}

/* What it says that it lacks, and what it cannot know: that its clock is wrong. */
static const char *lacks_of(struct haul *haul, const struct node_key *node,
                            const Fairlead__V1__Presence *presence, int64_t said_at_us) {
    const char *said = clean_text(&haul->arena, presence->lacks, 300), *lacks = said ? said : "";
    int64_t ahead_s = said_at_us / CLOCK_S - clock_wall_us() / CLOCK_S; /* its word may be any number */
    if ((ahead_s > -BEHIND_S || node->by_file) && ahead_s < AHEAD_S)
        return lacks;
    return arena_printf(&haul->arena, "%s%sits clock is %lld s %s", lacks, *lacks ? "; " : "",
                        (long long)(ahead_s < 0 ? -ahead_s : ahead_s), ahead_s < 0 ? "behind" : "ahead");
}

static void take_presence(struct ingest *ingest, struct haul *haul, const struct node_key *node,
                          struct uuid stream, const Fairlead__V1__Presence *report, int64_t said_at_us) {
    /* What was carried comes once in a while, and each time counts. */
    if (!presence_take(ingest->presence, node->id, report) && !node->by_file)
        return;
    *vec_add(&haul->arena, &haul->seen_streams, struct uuid) = stream;
    *vec_add(&haul->arena, &haul->seen_at, int64_t) =
        said_at_us > 0 && said_at_us < SAID_MAX_US ? said_at_us : 0;
    *vec_add(&haul->arena, &haul->seen_lacks, const char *) = lacks_of(haul, node, report, said_at_us);
    *vec_add(&haul->arena, &haul->seen_ids, struct uuid) = node->id;
    *vec_add(&haul->arena, &haul->seen_versions, const char *) =
        clean_text(&haul->arena, report->version, 40);
    *vec_add(&haul->arena, &haul->seen_key_sets, int64_t) = (int64_t)(report->key_set & INT64_MAX);
    *vec_add(&haul->arena, &haul->seen_doubts, const char *) = clean_text(&haul->arena, report->doubt, 16);
}

static void take_reports(struct ingest *ingest, struct haul *haul, const struct node_key *node,
                         const Fairlead__V1__Reports *reports) {
    if (reports->n_reports > REPORTS_MAX)
        unreadable(haul, node->id, "more reports in one record than a node sends");
    for (size_t i = 0; i < reports->n_reports && i < REPORTS_MAX; i++) {
        const Fairlead__V1__Report *report = reports->reports[i];
        switch (report->body_case) {
        case FAIRLEAD__V1__REPORT__BODY_ORDER:
            take_order(haul, node, report->order);
            break;
        case FAIRLEAD__V1__REPORT__BODY_DOCUMENT:
            take_document(haul, node, id_of(reports->stream), report->n, report->document);
            break;
        case FAIRLEAD__V1__REPORT__BODY_PRESENCE:
            take_presence(ingest, haul, node, id_of(reports->stream), report->presence, report->at_us);
            break;
        case FAIRLEAD__V1__REPORT__BODY_INVENTORY:
            if (report->inventory->nonce.len == NONCE_SIZE)
                ingest_ask(haul, node->id, node->private_plane, report->inventory);
            else
                unreadable(haul, node->id, "an inventory without a nonce");
            break;
        case FAIRLEAD__V1__REPORT__BODY__NOT_SET:
        default:
            unreadable(haul, node->id, "a report of unknown kind");
            break;
        }
    }
}

static void take_record(struct ingest *ingest, struct haul *haul, const struct kcons_record *record) {
    struct err err = {0};
    struct uuid claimed = {0};
    struct opened opened;
    haul->record = (struct bytes){record->value, record->value_n};
    if (record->key_n == sizeof claimed.b)
        memcpy(claimed.b, record->key, sizeof claimed.b);
    const struct node_key *node = find_key(haul, claimed);
    if (!node) {
        unreadable(haul, (struct uuid){0}, "from a node that is not enrolled");
        return;
    }
    if (envelope_open(&node->ring, record->value, record->value_n, &haul->arena, &opened, &err) < 0 ||
        !str_eq(opened.type, ENVELOPE_REPORTS)) {
        unreadable(haul, claimed, err.text[0] ? err.text : "an envelope that holds no reports");
        return;
    }
    Fairlead__V1__Reports *reports = fairlead__v1__reports__unpack(NULL, opened.n, opened.payload);
    if (!reports || !uuid_eq(id_of(reports->node), claimed)) {
        unreadable(haul, claimed, "reports that cannot be read, or speak for another node");
    } else {
        take_reports(ingest, haul, node, reports);
    }
    if (reports)
        *vec_add(&haul->arena, &haul->unpacked, Fairlead__V1__Reports *) = reports;
}

/* The last word about a document of one stream. No padding: the key is compared as bytes. */
struct word {
    struct {
        struct uuid instance_id, node_id, stream;
        int64_t kind, letter;
    } about;
    int64_t report_n;
    UT_hash_handle hh;
};

static struct word word_of(const struct input *input) {
    const struct document_report *report = &input->event.document;
    return (struct word){.about = {input->instance_id, report->node_id, report->stream, report->kind,
                                   report->letter ? report->letter[0] : 0},
                         .report_n = report->n};
}

static struct word *find_last_words(struct haul *haul) {
    struct word *words = NULL, *known;
    for (size_t i = 0; i < haul->inputs.n; i++) {
        const struct input *input = *vec_at(&haul->inputs, struct input *, i);
        if (input->kind != INPUT_DOCUMENT)
            continue;
        struct word *word = arena_new(&haul->arena, struct word);
        *word = word_of(input);
        HASH_FIND(hh, words, &word->about, sizeof word->about, known);
        if (known)
            known->report_n = word->report_n > known->report_n ? word->report_n : known->report_n;
        else
            HASH_ADD(hh, words, about, sizeof word->about, word);
    }
    return words;
}

void ingest_fold(struct haul *haul) {
    struct word *words = find_last_words(haul), *last;
    size_t kept = 0;
    for (size_t i = 0; i < haul->inputs.n; i++) {
        struct input *input = *vec_at(&haul->inputs, struct input *, i);
        struct word word = word_of(input);
        HASH_FIND(hh, words, &word.about, sizeof word.about, last);
        bool folds = input->kind == INPUT_DOCUMENT && !input->delivered.n && !input->recovery.n;
        if (!folds || last->report_n <= word.report_n)
            *vec_at(&haul->inputs, struct input *, kept++) = input;
    }
    haul->inputs.n = kept;
    HASH_CLEAR(hh, words);
}

void haul_release(struct haul *haul) {
    for (size_t i = 0; i < haul->unpacked.n; i++)
        fairlead__v1__reports__free_unpacked(*vec_at(&haul->unpacked, Fairlead__V1__Reports *, i), NULL);
    arena_release(&haul->arena);
    *haul = (struct haul){0};
}

int ingest_read(struct ingest *ingest, struct haul *haul, struct err *err) {
    if (load_keys(ingest, haul, err) < 0)
        return -1;
    for (size_t i = 0; i < haul->n; i++)
        take_record(ingest, haul, &haul->records[i]);
    ingest_fold(haul);
    return 0;
}
