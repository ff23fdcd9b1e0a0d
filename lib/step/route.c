/* F6: the edge serves a name. One server block, one map entry per name (a server block per name makes reloads
 * take seconds at 5,000). A change is written beside, tested, renamed, reloaded, and proved: only the new
 * generation answers on fresh connections. A test that fails puts the old entry back.
 *
 * Files, below the edge folder: conf.d/fairlead.conf, map.d/HOST.map, page.d/HOST.map, generation. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/proc.h"
#include "io/http.h"
#include "model/names.h"
#include "step/step.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUIET_US 200000 /* old workers answered up to 95 ms after the first new one */

struct route {
    Fairlead__V1__Route *want;
    char upstream_file[600], page_file[600], upstream[400], page[700];
};

/* One nginx, many routes: writing, testing and reloading is one at a time. */
static pthread_mutex_t nginx_mutex = PTHREAD_MUTEX_INITIALIZER;

/* Text of ours for people, in nginx's quotes: the sentences have none of the characters that would end them.
 */
static bool is_page_text(const char *s) {
    return strlen(s) < 300 && !strpbrk(s, "\"\\$\n\r{};'");
}

static int open_route(struct step_context *ctx, struct route *route, struct err *err) {
    const Fairlead__V1__Route *want;
    route->want = fairlead__v1__route__unpack(NULL, ctx->document->content.len, ctx->document->content.data);
    want = route->want;
    char address[64] = "";
    unsigned port = 0;
    if (!want || !name_is_domain(want->host) || !is_page_text(want->page))
        return step_fail(ctx, err, ERR_PARK, "bad_document", "The route document cannot be read.");
    if (!*want->page && !ctx->document->absent &&
        (sscanf(want->upstream, "%63[0-9.]:%u", address, &port) != 2 || !name_is_ipv4(address) ||
         port > 65535))
        return step_fail(ctx, err, ERR_PARK, "bad_upstream", "The route's upstream is not an address.");
    (void)snprintf(route->upstream_file, sizeof route->upstream_file, "%s/map.d/%s.map",
                   ctx->machine->edge_dir, want->host);
    (void)snprintf(route->page_file, sizeof route->page_file, "%s/page.d/%s.map", ctx->machine->edge_dir,
                   want->host);
    if (*want->page)
        (void)snprintf(route->page, sizeof route->page, "# %s\n%s \"%s\";\n", ctx->instance, want->host,
                       want->page);
    else
        (void)snprintf(route->upstream, sizeof route->upstream, "# %s\n%s %s:%u;\n", ctx->instance,
                       want->host, address, port);
    if (ctx->document->absent)
        route->page[0] = route->upstream[0] = '\0';
    return 0;
}

static bool holds(const char *path, const char *content) {
    cleanup_free char *text = NULL;
    if (!file_exists(path))
        return !*content;
    return file_read(path, 16384, &text, NULL, NULL) == 0 && str_eq(text, content);
}

/* Names are used again: a file of another instance is not ours to take away. */
static bool is_foreign(const struct step_context *ctx, const char *path) {
    cleanup_free char *text = NULL;
    return file_exists(path) && file_read(path, 4096, &text, NULL, NULL) == 0 && str_starts(text, "# ") &&
           strncmp(text + 2, ctx->instance, 32) != 0;
}

static bool is_as_wanted(const struct step_context *ctx, const char *path, const char *content) {
    return holds(path, content) || (ctx->document->absent && is_foreign(ctx, path));
}

static const char server_conf[] =
    "# Written by fairlead-worker: one server block, one map entry per name.\n"
    "map_hash_max_size 65536;\n"
    "map_hash_bucket_size 256; # nginx takes names of up to some 50 otherwise\n"
    "map $host $fairlead_upstream { default \"\"; include %s/map.d/*.map; }\n"
    "map $host $fairlead_page { default \"\"; include %s/page.d/*.map; }\n"
    "map $http_upgrade $fairlead_connection { default upgrade; \"\" \"\"; }\n"
    "map $upstream_connect_time $fairlead_reach { default \"no answer\"; ~- \"no connection\"; }\n"
    "server {\n"
    "    listen %s:%d default_server;\n"
    "%s"
    "    server_name _;\n"
    "    client_max_body_size 512m;\n"
    "    client_header_buffer_size 4k; # 32k in all, both ways: sign-ins and reports need it\n"
    "    large_client_header_buffers 4 32k;\n"
    "    proxy_buffer_size 32k;\n"
    "    proxy_buffers 8 32k;\n"
    "    proxy_busy_buffers_size 64k;\n"
    "    error_page 413 @large;\n"
    "    error_page 414 494 =431 /.fairlead/long; # no named location: nginx has no address yet\n"
    "    default_type text/plain;\n"
    "    location = /.fairlead/generation {\n"
    "        allow 127.0.0.0/8; allow %s; deny all;\n"
    "        include %s/generation;\n"
    "    }\n"
    "    location / {\n"
    "        if ($fairlead_page) { return 503 \"$fairlead_page\\n\"; }\n"
    "        if ($fairlead_upstream = \"\") { return 421 \"No application answers to this name.\\n\"; }\n"
    "        proxy_pass http://$fairlead_upstream;\n"
    "        proxy_http_version 1.1;\n"
    "        proxy_set_header Host $http_host;\n"
    "        proxy_set_header X-Real-IP $remote_addr;\n"
    "        proxy_set_header X-Forwarded-For $remote_addr;\n"
    "        proxy_set_header X-Forwarded-Proto $scheme;\n"
    "        proxy_set_header X-Fairlead-Identity \"\";\n"
    "        proxy_set_header Upgrade $http_upgrade;\n"
    "        proxy_set_header Connection $fairlead_connection;\n"
    "        proxy_request_buffering on; # who uploads slowly must not hold the app's processes\n"
    "        proxy_read_timeout 300s;\n"
    "        proxy_connect_timeout 5s;\n"
    "        proxy_bind %s;\n"
    "        error_page 413 @large;\n"
    "        error_page 502 504 = @unreachable;\n"
    "    }\n"
    "    location @large {\n"
    "        internal;\n"
    "        return 413 \"What was sent is larger than 512 MB, which is the most that is taken here.\\n\";\n"
    "    }\n"
    "    location = /.fairlead/long {\n"
    "        internal;\n"
    "        return 431 \"The address or the headers (cookies, mostly) are longer than 32 KB.\\n\";\n"
    "    }\n"
    "    location @unreachable {\n"
    "        internal;\n"
    "        add_header X-Fairlead-Edge $fairlead_reach always;\n"
    "        return 502 \"The application gives no answer that could be passed on just now.\\n\";\n"
    "    }\n"
    "}\n";

static void add_server(const struct step_context *ctx, struct str *conf) {
    char second[160] = "";
    const char *dir = ctx->machine->edge_dir, *address = ctx->machine->node->address;
    /* Browsers resolve *.localhost to 127.0.0.1 by themselves: a loopback edge listens there too. */
    if (strncmp(address, "127.", 4) == 0 && strcmp(address, "127.0.0.1") != 0)
        (void)snprintf(second, sizeof second, "    listen 127.0.0.1:%d default_server;\n",
                       ctx->machine->http_port);
    str_addf(conf, server_conf, dir, dir, address, ctx->machine->http_port, second, address, dir,
             address); // NOLINT: ours
}

static bool holds_server(const struct step_context *ctx) {
    char path[600];
    cleanup_str struct str conf = STR_INIT(16384);
    add_server(ctx, &conf);
    (void)snprintf(path, sizeof path, "%s/conf.d/fairlead.conf", ctx->machine->edge_dir);
    return holds(path, str_text(&conf));
}

static int ensure_server(struct step_context *ctx, struct err *err) {
    char path[600];
    const char *dir = ctx->machine->edge_dir;
    cleanup_str struct str conf = STR_INIT(16384);
    for (int i = 0; i < 3; i++) {
        static const char *const folders[] = {"conf.d", "map.d", "page.d"};
        (void)snprintf(path, sizeof path, "%s/%s", dir, folders[i]);
        if (file_mkdirs(path, 0755, err) < 0)
            return -1;
    }
    (void)snprintf(path, sizeof path, "%s/generation", dir);
    if (!file_exists(path) && file_write(path, "return 200 \"0\";\n", 16, 0644, err) < 0)
        return -1;
    if (holds_server(ctx))
        return 0;
    add_server(ctx, &conf);
    (void)snprintf(path, sizeof path, "%s/conf.d/fairlead.conf", dir);
    return file_write(path, conf.s, conf.n, 0644, err);
}

static int64_t ask_generation(struct step_context *ctx);
static int64_t next_generation(struct step_context *ctx, char path[600]);

/* Files alone prove nothing: nginx must have loaded what was written last. */
static int look(struct step_context *ctx, struct err *err) {
    struct route *route = arena_new(ctx->arena, struct route);
    char path[600];
    ctx->own = route;
    if (open_route(ctx, route, err) < 0)
        return -1;
    pthread_mutex_lock(&nginx_mutex);
    int rc = 1;
    if (!holds_server(ctx))
        rc = step_drift(ctx, "The server block of the edge was removed or changed by somebody else.");
    else if (!is_as_wanted(ctx, route->upstream_file, route->upstream) ||
             !is_as_wanted(ctx, route->page_file, route->page))
        rc = step_drift(ctx, "The route of the name was removed or changed by somebody else.");
    else if (ask_generation(ctx) < next_generation(ctx, path) - 1)
        rc = step_drift(ctx, "nginx did not serve what it was told.");
    pthread_mutex_unlock(&nginx_mutex);
    return rc;
}

static int put(const struct step_context *ctx, const char *path, const char *content, struct err *err) {
    if (!*content && is_foreign(ctx, path))
        return 0;
    return *content ? file_write(path, content, strlen(content), 0644, err) : file_remove(path, err);
}

static int test_nginx(struct step_context *ctx, struct err *err) {
    const char *const argv[] = {"nginx", "-t", "-q", "-c", ctx->machine->nginx_conf, NULL};
    struct proc proc = {.argv = argv, .timeout_us = 30 * CLOCK_S, .log = &ctx->out->result.log};
    return proc_check(&proc, ERR_PARK, err);
}

/* Down: it is started, by systemd where it has a unit, else as a daemon of its own. */
static int start_nginx(struct step_context *ctx, struct err *err) {
    const char *const systemctl[] = {"systemctl", "start", ctx->machine->nginx_unit, NULL};
    const char *const alone[] = {"nginx", "-c", ctx->machine->nginx_conf, NULL};
    struct proc proc = {.argv = systemctl, .timeout_us = 30 * CLOCK_S, .log = &ctx->out->result.log};
    int rc = *ctx->machine->nginx_unit ? proc_check(&proc, ERR_RETRY, err) : proc_detach(alone, err);
    if (rc < 0)
        return step_fail(ctx, err, ERR_RETRY, "nginx_down", "nginx is not running, and cannot be started: %s",
                         arena_strdup(ctx->arena, err->text));
    return 0;
}

static int reload_nginx(struct step_context *ctx, struct err *err) {
    cleanup_free char *text = NULL;
    int64_t pid;
    if (file_read(ctx->machine->nginx_pid, 32, &text, NULL, NULL) == 0) {
        text[strcspn(text, "\n")] = '\0';
        if (str_to_int(text, 2, INT32_MAX, &pid) && kill((pid_t)pid, SIGHUP) == 0)
            return 0;
    }
    return start_nginx(ctx, err);
}

/* Which generation answers on a fresh connection; -1: none does. */
static int64_t ask_generation(struct step_context *ctx) {
    char url[200];
    int64_t generation = -1;
    struct http_call call = HTTP_CALL_INIT(64);
    (void)snprintf(url, sizeof url, "http://%s:%d/.fairlead/generation", ctx->machine->node->address,
                   ctx->machine->http_port);
    call.method = "GET";
    call.url = url;
    call.timeout_us = 2000000;
    call.fresh = true;
    if (http_run(&call, NULL) == 0 && call.status == 200)
        (void)str_to_int(str_text(&call.answer), 0, INT64_MAX, &generation);
    http_release(&call);
    return generation;
}

static int64_t next_generation(struct step_context *ctx, char path[600]) {
    cleanup_free char *text = NULL;
    long long n = 0;
    (void)snprintf(path, 600, "%s/generation", ctx->machine->edge_dir);
    if (file_read(path, 64, &text, NULL, NULL) == 0)
        (void)sscanf(text, "return 200 \"%lld\"", &n);
    return n + 1;
}

/* Only the new generation, on fresh connections, for as long as old workers were seen to answer. */
static int prove_generation(struct step_context *ctx, int64_t generation, struct err *err) {
    int64_t deadline = clock_mono_us() + 10 * CLOCK_S, since = 0;
    while (!since || clock_mono_us() - since < QUIET_US) {
        bool is_new = ask_generation(ctx) >= generation;
        since = !is_new ? 0 : since ? since : clock_mono_us();
        if (!is_new && clock_mono_us() > deadline)
            return step_fail(ctx, err, ERR_RETRY, "nginx_old", "nginx has not taken the new configuration.");
        (void)usleep(10000);
    }
    return 0;
}

/* NULL in *ret: there is none. */
static int read_old(const char *path, char **ret, struct err *err) {
    return file_exists(path) ? file_read(path, 65536, ret, NULL, err) : 0;
}

static void put_back(struct step_context *ctx, const char *path, const char *old) {
    struct err err;
    if ((old ? file_write(path, old, strlen(old), 0644, &err) : file_remove(path, &err)) < 0)
        str_addf(&ctx->out->result.log, "not put back: %s\n", err.text);
}

static int apply(struct step_context *ctx, const struct route *route, struct err *err) {
    char generation_file[600], server_file[600], line[64];
    cleanup_free char *old_upstream = NULL, *old_page = NULL, *old_server = NULL;
    (void)snprintf(server_file, sizeof server_file, "%s/conf.d/fairlead.conf", ctx->machine->edge_dir);
    if (read_old(route->upstream_file, &old_upstream, err) < 0 ||
        read_old(route->page_file, &old_page, err) < 0 || read_old(server_file, &old_server, err) < 0 ||
        ensure_server(ctx, err) < 0)
        return -1;
    int64_t generation = next_generation(ctx, generation_file);
    (void)snprintf(line, sizeof line, "return 200 \"%lld\";\n", (long long)generation);
    /* The generation goes first, and is put back last: as long as nginx does not serve the one in the file,
     * the files prove nothing, whenever we die. */
    if (file_write(generation_file, line, strlen(line), 0644, err) < 0 ||
        put(ctx, route->upstream_file, route->upstream, err) < 0 ||
        fault_check(FAULT_ROUTE_MAPPED, err) < 0 || put(ctx, route->page_file, route->page, err) < 0 ||
        fault_check(FAULT_ROUTE_WRITTEN, err) < 0)
        return -1;
    if (test_nginx(ctx, err) < 0) {
        (void)snprintf(line, sizeof line, "return 200 \"%lld\";\n", (long long)generation - 1);
        put_back(ctx, route->upstream_file, old_upstream);
        put_back(ctx, route->page_file, old_page);
        put_back(ctx, server_file, old_server);
        put_back(ctx, generation_file, line);
        return step_fail(ctx, err, err->cls, "nginx_test",
                         "nginx refuses the configuration; the old one serves on.");
    }
    if (fault_check(FAULT_ROUTE_TESTED, err) < 0 || reload_nginx(ctx, err) < 0 ||
        fault_check(FAULT_ROUTE_RELOADED, err) < 0)
        return -1;
    return prove_generation(ctx, generation, err);
}

static int act(struct step_context *ctx, struct err *err) {
    struct route *route = ctx->own;
    pthread_mutex_lock(&nginx_mutex);
    int rc = apply(ctx, route, err);
    pthread_mutex_unlock(&nginx_mutex);
    return rc;
}

static int check(struct step_context *ctx, struct err *err) {
    const struct route *route = ctx->own;
    if (!is_as_wanted(ctx, route->upstream_file, route->upstream) ||
        !is_as_wanted(ctx, route->page_file, route->page))
        return step_fail(ctx, err, ERR_RETRY, "route_changed", "The route was changed by somebody else.");
    return 0;
}

static void end(struct step_context *ctx) {
    struct route *route = ctx->own;
    if (route && route->want)
        fairlead__v1__route__free_unpacked(route->want, NULL);
}

const struct step step_route = {.name = "route", .look = look, .act = act, .check = check, .end = end};
