/* A customer's token, and identities of another customer put into each place of each request that the table
 * of routes knows. usage: intruder SERVER TOKENS MINE THEIRS SECRETS SECONDS SEED Files of lines: tokens to
 * ask with; what is one's own; what is the other's, to ask for; what is the other's and must never be told.
 * Prints what it sent, and each request that was answered as it must not; exit 1 when there was one. */
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "io/http.h"
#include "model/principal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena; /* of one request */
static struct arena all;

struct lines {
    struct vec items; /* const char * */
};

static struct lines read_lines(const char *path) {
    struct lines lines = {0};
    struct err err = {0};
    cleanup_free char *text = NULL;
    if (file_read(path, 1048576, &text, NULL, &err) < 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        exit(2);
    }
    for (const char *p = text; *p; p += strspn(p, "\n")) {
        size_t n = strcspn(p, "\n");
        if (n)
            *vec_add(&all, &lines.items, const char *) = arena_strndup(&all, p, n);
        p += n;
    }
    return lines;
}

static struct lines tokens, mine, theirs, secrets;

static unsigned below(unsigned n) {
    return (unsigned)random() % n;
}

static const char *one_of(const struct lines *lines) {
    return *vec_at(&lines->items, const char *, below((unsigned)lines->items.n));
}

static bool has_theirs; /* the path of this request names something of theirs: of two names the first, whose
                           the second is */

/* Mostly theirs, which is what is looked for; else one's own, so that the rest of the request is judged at
 * all. */
static const char *some_name(void) {
    return below(3) ? one_of(&theirs) : one_of(&mine);
}

static json_t *some_value(const struct schema_field *f);

static json_t *some_object(const struct schema_field *fields) {
    json_t *object = json_object();
    for (const struct schema_field *f = fields; f && f->type != SCHEMA_END; f++)
        if (f->required || below(2))
            (void)json_object_set_new(object, f->name, some_value(f));
    return object;
}

static json_t *some_value(const struct schema_field *f) {
    size_t n = 0;
    switch (f->type) {
    case SCHEMA_INT:
        return json_integer(f->min + (int64_t)below(3));
    case SCHEMA_BOOL:
        return json_boolean(below(2));
    case SCHEMA_LIST:
        return json_pack("[o]", f->fields ? some_object(f->fields)
                                          : json_string(f->values ? f->values[0] : some_name()));
    case SCHEMA_OBJECT:
        return some_object(f->fields);
    case SCHEMA_MAP:
        return json_pack("{s:s}", some_name(), some_name());
    default:
        while (f->values && f->values[n])
            n++;
        return json_string(n ? f->values[below((unsigned)n)] : some_name());
    }
}

/* What nobody asked for: where a program reads more than its table says. */
static void add_strange_fields(json_t *body) {
    static const char *const names[] = {"customer", "tenant",    "customer_id", "tenant_id", "id",
                                        "member",   "principal", "plane",       "owner"};
    if (below(3) == 0)
        (void)json_object_set_new(body, names[below(sizeof names / sizeof *names)], json_string(some_name()));
}

static const char *some_path(const struct route_row *route) {
    cleanup_str struct str out = STR_INIT(2000);
    bool first = true;
    for (const char *p = route->path; *p; p++) {
        if (*p != '{') {
            str_add(&out, p, 1);
            continue;
        }
        const char *name = below(4) ? one_of(&theirs) : one_of(&mine);
        for (size_t i = 0; i < theirs.items.n && first; i++)
            has_theirs = has_theirs || str_eq(*vec_at(&theirs.items, const char *, i), name);
        first = false;
        str_adds(&out, name);
        p = strchr(p, '}');
        if (p[1] == '/' && p[2] == '{' && strchr(name, '/')) /* CUSTOMER/NAME in one */
            p = strchr(p + 1, '}');
    }
    static const char *const queries[] = {"after", "customer", "tenant", "name",
                                          "state", "purge",    "member", "id"};
    for (unsigned i = 0, n = below(3); i < n; i++)
        str_addf(&out, "%c%s=%s", i ? '&' : '?', queries[below(sizeof queries / sizeof *queries)],
                 some_name());
    return arena_strdup(&arena, str_text(&out));
}

static size_t requests, opened, wrong;

static void complain(const struct http_call *call, const char *why) {
    wrong++;
    printf("%s %s %s\n  answered %ld %.200s\n  %s\n", call->method, call->url, call->body ? call->body : "",
           call->status, call->answer.n ? str_text((struct str *)(uintptr_t)&call->answer) : "", why);
}

static void judge(const struct route_row *route, const struct http_call *call) {
    requests++;
    opened += call->status < 300;
    if (call->status >= 500 && call->status != 503)
        complain(call, "a failure of the server's");
    if (has_theirs && call->status < 300 && route->reach == REACH_OWN && strchr(route->path, '{'))
        complain(call, "it is another's, and was answered");
    for (size_t i = 0; i < secrets.items.n && call->answer.n; i++)
        if (strstr(str_text((struct str *)(uintptr_t)&call->answer),
                   *vec_at(&secrets.items, const char *, i)))
            complain(call, "it tells what is another's");
}

static void ask(const char *server) {
    const struct route_row *route = &route_rows[below(ROUTE_COUNT)];
    struct err err = {0};
    cleanup_json json_t *body = route->body ? some_object(route->body) : NULL;
    struct http_call call = HTTP_CALL_INIT(4 * 1024 * 1024);
    has_theirs = false;
    if (body)
        add_strange_fields(body);
    cleanup_free char *text = body ? json_text(body) : NULL;
    call.method = route->method;
    call.url = arena_printf(&arena, "%s%s", server, some_path(route));
    call.body = text;
    call.headers = (const char *const[]){
        arena_printf(&arena, "Authorization: Bearer %s", one_of(&tokens)),
        "Content-Type: application/json",
        below(2) ? arena_printf(&arena, "Idempotency-Key: %s", some_name()) : "X-Nothing: 1",
        below(4) ? "X-Nothing: 2" : arena_printf(&arena, "If-Match: \"%u\"", below(3)),
        below(4) ? "X-Nothing: 3" : arena_printf(&arena, "X-Forwarded-For: %s", some_name()),
        NULL,
    };
    if (http_run(&call, &err) == 0)
        judge(route, &call);
    else
        (void)fprintf(stderr, "%s\n", err.text);
    http_release(&call);
    arena_release(&arena);
}

int main(int argc, char **argv) {
    if (argc != 8)
        return 2;
    http_init();
    tokens = read_lines(argv[2]);
    mine = read_lines(argv[3]);
    theirs = read_lines(argv[4]);
    secrets = read_lines(argv[5]);
    srandom((unsigned)atoi(argv[7]));
    for (int64_t end = clock_mono_us() + atoi(argv[6]) * CLOCK_S; clock_mono_us() < end && wrong < 20;)
        ask(argv[1]);
    printf("%zu requests, %zu of them opened something of one's own, %zu wrong\n", requests, opened, wrong);
    arena_release(&all);
    return wrong || !opened ? 1 : 0;
}
