#include "model/policy.h"

#include "base/json.h"
#include "base/str.h"
#include "base/yaml.h"
#include "model/names.h"
#include "model/provenance.h"

#include <stdio.h>
#include <string.h>

#define DAY_MINUTES 1440

static bool read_clock(const char *s, int *ret) {
    bool digits = s[0] >= '0' && s[0] <= '2' && s[1] >= '0' && s[1] <= '9' && s[2] == ':' && s[3] >= '0' &&
                  s[3] <= '5' && s[4] >= '0' && s[4] <= '9';
    if (!digits)
        return false;
    *ret = ((s[0] - '0') * 10 + s[1] - '0') * 60 + (s[3] - '0') * 10 + s[4] - '0';
    return *ret < DAY_MINUTES;
}

static bool is_hours(const char *s) {
    int from, to;
    return strlen(s) == 11 && s[5] == '-' && read_clock(s, &from) && read_clock(s + 6, &to) && from != to;
}

static bool read_ports(const char *s, int64_t *ret_low, int64_t *ret_high) {
    char low[6];
    size_t n = strcspn(s, "-");
    if (n == 0 || n >= sizeof low || !s[n])
        return false;
    (void)snprintf(low, sizeof low, "%.*s", (int)n, s);
    return str_to_int(low, 1, 65535, ret_low) && str_to_int(s + n + 1, *ret_low, 65535, ret_high);
}

static bool is_ports(const char *s) {
    int64_t low, high;
    return read_ports(s, &low, &high);
}

static bool is_key(const char *s) {
    return strspn(s, "0123456789abcdef") == 64 && !s[64];
}

const struct schema_field policy_fields[] = {
    {.name = "apps",
     .type = SCHEMA_LIST,
     .max = 200,
     .help = "apps that may run, by their names in the catalogue"},
    {.name = "repositories",
     .type = SCHEMA_LIST,
     .max = 200,
     .help =
         "of the provider's registry from which images may come; one that ends with `/` means all below it"},
    {.name = "sources",
     .type = SCHEMA_LIST,
     .max = 200,
     .help = "from whose files images may be built, by their provenance; one that ends with `/` means all "
             "below it"},
    {.name = "digests",
     .type = SCHEMA_LIST,
     .max = 1000,
     .check = name_is_digest,
     .rule = "sha256: and 64 hex digits",
     .help = "images that may run, and no others"},
    {.name = "ports",
     .type = SCHEMA_STRING,
     .max = 11,
     .check = is_ports,
     .rule = "LOW-HIGH, such as 20000-20999",
     .help = "of this machine that an app may use; only this machine's own proxy reaches them"},
    {.name = "memory_mb",
     .type = SCHEMA_INT,
     .min = 1,
     .max = 16777216,
     .help = "that one instance may have"},
    {.name = "cpu_milli",
     .type = SCHEMA_INT,
     .min = 1,
     .max = 1024000,
     .help = "thousandths of a core, the same"},
    {.name = "disk_mb", .type = SCHEMA_INT, .min = 1, .max = 1073741824, .help = "the same"},
    {.name = "instances", .type = SCHEMA_INT, .min = 0, .max = 5000, .help = "that may be here"},
    {.name = "hours",
     .type = SCHEMA_STRING,
     .max = 11,
     .check = is_hours,
     .rule = "HH:MM-HH:MM, such as 19:00-06:00",
     .help = "of this machine's day in which something may be changed; what came at another time waits"},
    {.name = "signer",
     .type = SCHEMA_STRING,
     .min = 64,
     .max = 64,
     .check = is_key,
     .rule = "64 hex digits, as `fairlead sign --make-key FILE` prints them",
     .help = "whose signature is asked for besides over what runs: images, commands, mounts, ports"},
    {.name = "deletion",
     .type = SCHEMA_BOOL,
     .otherwise = "true",
     .help = "false: nothing is taken away, whoever asks for it"},
    {0},
};

json_t *policy_parse(const char *name, const char *text, size_t n, struct err *err) {
    json_t *rules = yaml_parse(name, text, n, err);
    struct err why = {0};
    if (!rules)
        return NULL;
    if (json_is_object(rules) && schema_check(rules, policy_fields, SCHEMA_TEXT, &why) == 0)
        return rules;
    (void)err_set(err, ERR_PARK, "%s: %s", name, why.text[0] ? why.text : "these are no rules");
    json_decref(rules);
    return NULL;
}

/* A list that is not there allows all. */
static bool lists(const json_t *rules, const char *name, const char *value) {
    const json_t *list = json_object_get(rules, name), *row;
    size_t i;
    json_array_foreach(list, i, row) {
        const char *text = json_string_value(row);
        size_t n = strlen(text);
        if (str_eq(text, value) || (n && text[n - 1] == '/' && str_starts(value, text)))
            return true;
    }
    return !list;
}

/* "repository@sha256:...", as a stack names it. */
static const char *judge_image(const json_t *rules, const char *image, struct arena *arena) {
    const char *at = strrchr(image, '@');
    const char *repository = arena_strndup(arena, image, at ? (size_t)(at - image) : strlen(image));
    if (!at)
        return "An image is not named by its digest.";
    if (!lists(rules, "repositories", repository))
        return arena_printf(arena, "The repository \"%.100s\" is not allowed here.", repository);
    if (!lists(rules, "digests", at + 1))
        return arena_printf(arena, "The image %.80s is not allowed here.", at + 1);
    return NULL;
}

/* By the statement that came with it; without one nobody knows. */
static const char *judge_source(const json_t *rules, const Fairlead__V1__Stack *stack, size_t image,
                                struct arena *arena) {
    struct provenance provenance;
    struct err err = {0};
    bool known;
    if (!json_object_get(rules, "sources"))
        return NULL;
    if (provenance_of(stack, image, arena, &known, &provenance, &err) < 0)
        return "The provenance of an image is about another one.";
    if (!known)
        return "It is not said what an image was built from, and here that must be known.";
    return lists(rules, "sources", provenance.source)
               ? NULL
               : arena_printf(arena, "Images of \"%.150s\" are not allowed here.", provenance.source);
}

static const char *judge_size(const json_t *rules, const Fairlead__V1__Stack *stack, struct arena *arena) {
    const struct {
        const char *name, *unit;
        uint32_t wanted;
    } sizes[] = {{"memory_mb", "MB of memory", stack->memory_mb},
                 {"cpu_milli", "thousandths of a core", stack->cpu_milli},
                 {"disk_mb", "MB of disk", stack->disk_mb}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int64_t most = json_int(rules, sizes[i].name, INT64_MAX);
        if ((int64_t)sizes[i].wanted > most)
            return arena_printf(arena, "It is to have %u %s, and %lld are allowed here.", sizes[i].wanted,
                                sizes[i].unit, (long long)most);
    }
    return NULL;
}

static const char *judge_stack(const json_t *rules, const struct policy_question *question,
                               struct arena *arena) {
    const Fairlead__V1__Stack *stack = question->stack;
    int64_t low, high, instances = json_int(rules, "instances", INT64_MAX);
    const char *ports = json_str(rules, "ports"), *why;
    if (!lists(rules, "apps", stack->app))
        return arena_printf(arena, "The app \"%.40s\" is not allowed here.", stack->app);
    for (size_t i = 0; i < stack->n_images; i++)
        if ((why = judge_image(rules, stack->images[i]->value, arena)) ||
            (why = judge_source(rules, stack, i, arena)))
            return why;
    if ((why = judge_size(rules, stack, arena)))
        return why;
    if (ports && read_ports(ports, &low, &high) && (stack->port < low || stack->port > high))
        return arena_printf(arena, "The port %u is not allowed here, only %s are.", stack->port, ports);
    if (question->instances >= instances)
        return arena_printf(arena, "%lld apps are here, and no more are allowed.",
                            (long long)question->instances);
    return NULL;
}

static bool is_in_hours(const char *hours, int minute) {
    int from, to;
    if (!hours || !read_clock(hours, &from) || !read_clock(hours + 6, &to))
        return true;
    return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

enum policy_answer policy_ask(const json_t *rules, const struct policy_question *question,
                              struct arena *arena, const char **ret_why) {
    const char *hours = json_str(rules, "hours");
    *ret_why = NULL;
    if (question->absent && !json_is_true(json_object_get(rules, "deletion")))
        *ret_why = "Whoever this machine belongs to does not allow that anything is taken away.";
    else if (!question->absent && question->stack && question->stack->running)
        *ret_why = judge_stack(rules, question, arena);
    if (*ret_why)
        return POLICY_NO;
    if (is_in_hours(hours, question->minute))
        return POLICY_YES;
    *ret_why = arena_printf(arena, "Here something may be changed from %s only: it waits.", hours);
    return POLICY_LATER;
}
