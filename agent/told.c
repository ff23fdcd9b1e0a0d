/* What is said of each document, kept where the customer can read it: the last word of each for "status", and
 * what was news, with its time, for "log". Lost files are no harm: they are written again. */
#include "agent/agent.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "node/document.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

#define LOG_MAX 1048576 /* then it becomes log.1, in the place of the one before */
#define TOLD_MAX 4194304

struct told {
    char key[80], text[400];
    UT_hash_handle hh;
};

static struct told *add_told(struct agent *agent, const char *key) {
    struct told *told = mem_alloc(sizeof *told);
    (void)snprintf(told->key, sizeof told->key, "%s", key);
    HASH_ADD_STR(agent->told, key, told);
    return told;
}

/* What was said before the last start is no news. */
static void load(struct agent *agent, struct arena *arena) {
    cleanup_free char *text = NULL;
    char *rest = NULL;
    const char *path = agent_path(agent->host, AGENT_TOLD, arena);
    agent->loaded = true;
    if (!file_exists(path) || file_read(path, TOLD_MAX, &text, NULL, NULL) < 0)
        return;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *said = strchr(line, '\t');
        if (!said || said - line >= (int)sizeof agent->told->key)
            continue;
        *said++ = '\0';
        struct told *told = add_told(agent, line);
        (void)snprintf(told->text, sizeof told->text, "%s", said);
    }
}

/* What others wrote makes no lines of its own, and moves no cursor. */
static const char *one_line(const char *text, struct arena *arena) {
    char *line = arena_strdup(arena, text);
    for (char *p = line; *p; p++)
        *p = (unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p;
    return line;
}

/* The name that its customer knows, and what of it. */
static const char *name_of(const Fairlead__V1__Document *document, const char *hex, struct arena *arena) {
    const char *name = hex;
    Fairlead__V1__Stack *stack = node_document_stack(document);
    if (stack) {
        name = arena_printf(arena, "%s (%s %s)", stack->text, stack->app, stack->version);
    } else if (str_eq(document->kind, "watch")) {
        Fairlead__V1__Watch *watch =
            fairlead__v1__watch__unpack(NULL, document->content.len, document->content.data);
        if (watch && watch->probe)
            name = arena_strdup(arena, watch->probe->host);
        fairlead__v1__watch__free_unpacked(watch, NULL);
    } else if (str_eq(document->kind, "route")) {
        Fairlead__V1__Route *route =
            fairlead__v1__route__unpack(NULL, document->content.len, document->content.data);
        if (route)
            name = arena_strdup(arena, route->host);
        fairlead__v1__route__free_unpacked(route, NULL);
    }
    fairlead__v1__stack__free_unpacked(stack, NULL);
    return one_line(name, arena);
}

static const char *word_of(const Fairlead__V1__Document *document, const struct keeper_outcome *outcome,
                           struct arena *arena) {
    const struct result *result = &outcome->result;
    if (result->class == RESULT_IS_OK)
        return document->absent ? "taken away" : str_eq(document->kind, "watch") ? "answers" : "as wanted";
    return arena_printf(arena, "%s%s", result->class == RESULT_IS_PARK ? "refused: " : "not yet: ",
                        one_line(result->text ? result->text : "no reason given", arena));
}

static void append(const struct agent *agent, const char *line, struct arena *arena) {
    const char *path = agent_path(agent->host, AGENT_LOG, arena);
    struct stat st;
    if (stat(path, &st) == 0 && st.st_size > LOG_MAX)
        (void)rename(path, agent_path(agent->host, AGENT_LOG ".1", arena));
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, line, strlen(line)) < 0)
        log_warn("the log for this machine's owner cannot be written", LOG_S("path", path));
}

static void rewrite(const struct agent *agent, struct arena *arena) {
    struct told *told, *next;
    struct err err = {0};
    cleanup_str struct str text = STR_INIT(TOLD_MAX);
    HASH_ITER(hh, agent->told, told, next) {
        str_addf(&text, "%s\t%s\n", told->key, told->text);
    }
    if (file_write(agent_path(agent->host, AGENT_TOLD, arena), str_text(&text), text.n, 0600, &err) < 0)
        log_warn("what is told to this machine's owner cannot be written", LOG_S("error", err.text));
}

void agent_done(void *arg, const Fairlead__V1__Document *document, const struct keeper_outcome *outcome) {
    struct agent *agent = arg;
    struct arena *arena = outcome->arena;
    char key[80], hex[UUID_HEX_SIZE], stamp[28];
    struct told *told;
    if (outcome->cut)
        return;
    hex_encode(hex, document->instance.data, document->instance.len);
    (void)snprintf(key, sizeof key, "%s.%.16s.%.1s", hex, document->kind, keeper_letter(document));
    const char *name = name_of(document, hex, arena), *word = word_of(document, outcome, arena);
    bool mended = outcome->known && outcome->drift; /* what is new differs, and is not mended */
    const char *text = arena_printf(arena, "%s\t%s\t%s%s", document->kind, name, mended ? "mended: " : "",
                                    mended ? outcome->drift : word);
    char line[sizeof told->text]; /* as it is kept: what is compared is what was written */
    (void)snprintf(line, sizeof line, "%s", text);
    line[str_cut_at(line, sizeof line - 1)] = '\0';
    pthread_mutex_lock(&agent->mutex);
    if (!agent->loaded)
        load(agent, arena);
    HASH_FIND_STR(agent->told, key, told);
    bool news = !told || strcmp(told->text, line) != 0;
    if (!told)
        told = add_told(agent, key);
    memcpy(told->text, line, sizeof told->text);
    if (news) {
        append(agent, arena_printf(arena, "%s\t%s\n", clock_text(clock_wall_us(), stamp), told->text), arena);
        rewrite(agent, arena);
    }
    pthread_mutex_unlock(&agent->mutex);
}
