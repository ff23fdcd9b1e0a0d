#include "io/engine.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX (8 * 1024 * 1024)

/* To the Engine's socket; the answer's ceiling and who reads its lines are the caller's to set. */
static int run(struct http_call *call, const char *socket, const char *method, const char *path,
               struct err *err) {
    char url[1200];
    struct err passed = {0};
    (void)snprintf(url, sizeof url, "http://engine/v1.41%s", path);
    call->unix_socket = socket;
    call->method = method;
    call->url = url;
    if (!call->body && !call->upload && strcmp(method, "POST") == 0)
        call->body = "";
    if (http_run(call, &passed) == 0)
        return 0;
    return err_set(err, ERR_RETRY, "the Docker Engine does not answer: %s", passed.text);
}

int engine_call(const char *socket, const char *method, const char *path, const json_t *body,
                int64_t timeout_us, long *ret_status, json_t **ret, struct err *err) {
    struct http_call call = HTTP_CALL_INIT(ANSWER_MAX);
    cleanup_free char *text = body ? json_text(body) : NULL;
    call.body = text;
    call.timeout_us = timeout_us;
    int rc = run(&call, socket, method, path, err);
    *ret_status = call.status;
    if (rc == 0 && ret)
        *ret = call.answer.n ? json_loadb(call.answer.s, call.answer.n, 0, NULL) : NULL;
    http_release(&call);
    return rc;
}

int engine_containers(const char *socket, const char *label, json_t **ret, struct err *err) {
    char path[400];
    long status;
    cleanup_json json_t *list = NULL, *all = json_array();
    (void)snprintf(path, sizeof path,
                   "/containers/json?all=true&filters=%%7B%%22label%%22%%3A%%5B%%22%s%%22%%5D%%7D", label);
    if (engine_call(socket, "GET", path, NULL, 20000000, &status, &list, err) < 0)
        return -1;
    if (status != 200 || !json_is_array(list))
        return err_set(err, ERR_RETRY, "the Docker Engine answers a list of containers with status %ld",
                       status);
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one) {
        json_t *inspected = NULL;
        (void)snprintf(path, sizeof path, "/containers/%.64s/json",
                       json_str(one, "Id") ? json_str(one, "Id") : "");
        if (engine_call(socket, "GET", path, NULL, 20000000, &status, &inspected, err) < 0)
            return -1;
        if (status == 200 && inspected)
            (void)json_array_append(all, inspected); /* 404: gone between the two calls */
        json_decref(inspected);
    }
    *ret = json_incref(all);
    return 0;
}

int engine_stop(const char *socket, const char *container, int64_t grace_s, int64_t *ret_exit,
                struct err *err) {
    char path[200];
    long status;
    cleanup_json json_t *inspected = NULL;
    (void)snprintf(path, sizeof path, "/containers/%.64s/stop?t=%lld", container, (long long)grace_s);
    if (engine_call(socket, "POST", path, NULL, (grace_s + 60) * 1000000, &status, NULL, err) < 0)
        return -1;
    (void)snprintf(path, sizeof path, "/containers/%.64s/json", container);
    if (engine_call(socket, "GET", path, NULL, 20000000, &status, &inspected, err) < 0)
        return -1;
    const json_t *state = json_object_get(inspected, "State");
    if (status == 200 && json_is_true(json_object_get(state, "Running")))
        return err_set(err, ERR_RETRY, "the container has not stopped within %lld s", (long long)grace_s);
    *ret_exit = status == 200 ? json_int(state, "ExitCode", -1) : 0;
    return 0;
}

void engine_root(const char *socket, char *ret, size_t size) {
    long status;
    struct err ignored = {0};
    cleanup_json json_t *info = NULL;
    ret[0] = '\0';
    if (engine_call(socket, "GET", "/info", NULL, 20000000, &status, &info, &ignored) == 0 &&
        json_str(info, "DockerRootDir"))
        (void)snprintf(ret, size, "%s", json_str(info, "DockerRootDir"));
}

struct pull {
    char error[300];
};

static bool read_progress(void *arg, const char *line) {
    struct pull *pull = arg;
    cleanup_json json_t *json = json_loads(line, 0, NULL);
    const char *error = json_str(json, "error") ? json_str(json, "error") : json_str(json, "message");
    if (error)
        (void)snprintf(pull->error, sizeof pull->error, "%s", error);
    return true;
}

int engine_pull(const char *socket, const char *image, struct err *err) {
    char path[600];
    struct pull pull = {0};
    struct http_call call = HTTP_CALL_INIT(ANSWER_MAX);
    call.timeout_us = 0;
    call.silence_s = 60;
    call.line = read_progress;
    call.arg = &pull;
    (void)snprintf(path, sizeof path, "/images/create?fromImage=%s", image);
    int rc = run(&call, socket, "POST", path, err);
    long status = call.status;
    http_release(&call);
    if (rc < 0)
        return err_wrap(err, "pulling \"%s\"", image);
    if (status == 404 || strstr(pull.error, "manifest unknown"))
        return err_set(err, ERR_PARK, "the registry does not have \"%s\"", image);
    if (status != 200 || pull.error[0])
        return err_set(err, ERR_RETRY, "pulling \"%s\": %s", image,
                       pull.error[0] ? pull.error : "refused by the Engine");
    return 0;
}

int engine_load(const char *socket, int fd, const atomic_int *stop, struct err *err) {
    struct pull said = {0};
    struct http_call call = HTTP_CALL_INIT(ANSWER_MAX);
    call.timeout_us = 0;
    call.upload = fd;
    call.stop = stop;
    call.line = read_progress;
    call.arg = &said;
    int rc = run(&call, socket, "POST", "/images/load?quiet=1", err);
    long status = call.status;
    http_release(&call);
    if (rc < 0)
        return err_wrap(err, "loading an image");
    if (status == 200 && !said.error[0])
        return 0;
    (void)err_set(err, ERR_RETRY, "the Engine does not take the image: %s",
                  said.error[0] ? said.error : "refused");
    (void)snprintf(err->code, sizeof err->code, ENGINE_REFUSED);
    return -1;
}

int engine_find_image(const char *socket, const char *image, bool *ret_here, struct err *err) {
    char path[600];
    long status = 0;
    (void)snprintf(path, sizeof path, "/images/%s/json", image);
    if (engine_call(socket, "GET", path, NULL, 20000000, &status, NULL, err) < 0)
        return -1;
    *ret_here = status == 200;
    if (status == 200 || status == 404)
        return 0;
    return err_set(err, ERR_RETRY, "the Docker Engine answers about an image with status %ld", status);
}

bool engine_names_by_manifest(const char *socket) {
    struct err ignored = {0};
    long status = 0;
    json_t *info = NULL, *pair;
    size_t i;
    bool does = false;
    if (engine_call(socket, "GET", "/info", NULL, 20000000, &status, &info, &ignored) == 0)
        json_array_foreach(json_object_get(info, "DriverStatus"), i, pair) {
            does = does || str_eq(json_string_value(json_array_get(pair, 1)), "io.containerd.snapshotter.v1");
        }
    json_decref(info);
    return does;
}

bool engine_has_image(const char *socket, const char *image) {
    struct err ignored;
    bool here = false;
    return engine_find_image(socket, image, &here, &ignored) == 0 && here;
}

char *engine_image_id(const char *socket, const char *image) {
    char path[600];
    long status = 0;
    struct err err;
    cleanup_json json_t *answer = NULL;
    (void)snprintf(path, sizeof path, "/images/%s/json", image);
    if (engine_call(socket, "GET", path, NULL, 20000000, &status, &answer, &err) < 0 || status != 200)
        return NULL;
    return mem_strdup(json_str(answer, "Id"));
}

int engine_exec(const char *socket, const char *container, const json_t *command, int64_t timeout_us,
                int64_t *ret_status, struct err *err) {
    char path[160];
    long status = 0;
    cleanup_json json_t *made = NULL, *ended = NULL, *start = json_object(),
                        *body = json_pack("{s:O, s:b, s:b}", "Cmd", command, "AttachStdout", 1,
                                          "AttachStderr", 1);
    (void)snprintf(path, sizeof path, "/containers/%.64s/exec", container);
    if (engine_call(socket, "POST", path, body, 20000000, &status, &made, err) < 0)
        return -1;
    const char *id = json_str(made, "Id");
    if (status != 201 || !id)
        return err_set(err, ERR_RETRY, "the Docker Engine runs nothing in the container: status %ld", status);
    /* What it prints is a stream that ends with it. */
    (void)snprintf(path, sizeof path, "/exec/%.64s/start", id);
    if (engine_call(socket, "POST", path, start, timeout_us, &status, NULL, err) < 0)
        return -1;
    (void)snprintf(path, sizeof path, "/exec/%.64s/json", id);
    if (engine_call(socket, "GET", path, NULL, 20000000, &status, &ended, err) < 0)
        return -1;
    if (status != 200 || json_is_true(json_object_get(ended, "Running")))
        return err_set(err, ERR_RETRY, "what was run in the container has not ended");
    *ret_status = json_int(ended, "ExitCode", -1);
    return 0;
}

char *engine_logs(const char *socket, const char *container, int lines) {
    char path[300];
    struct err ignored;
    struct str out = STR_TAIL(16384);
    struct http_call call = HTTP_CALL_INIT(ANSWER_MAX);
    call.timeout_us = 10000000;
    (void)snprintf(path, sizeof path, "/containers/%.64s/logs?stdout=true&stderr=true&tail=%d", container,
                   lines);
    if (run(&call, socket, "GET", path, &ignored) == 0 && call.status == 200)
        /* Each piece has a header of 8 bytes: stream, 3 zeros, length (Engine API, "attach"). */
        for (size_t at = 0; at + 8 <= call.answer.n;) {
            const unsigned char *h = (const unsigned char *)call.answer.s + at;
            size_t n = (size_t)h[4] << 24 | (size_t)h[5] << 16 | (size_t)h[6] << 8 | h[7];
            if (n > call.answer.n - at - 8)
                n = call.answer.n - at - 8;
            str_add(&out, call.answer.s + at + 8, n);
            at += 8 + n;
        }
    http_release(&call);
    return out.s ? out.s : mem_strdup("");
}

struct following {
    const char *label_key;
    void (*each)(void *arg, const char *label_value);
    void *arg;
};

static bool read_event(void *arg, const char *line) {
    struct following *following = arg;
    cleanup_json json_t *event = json_loads(line, 0, NULL);
    const char *value =
        json_str(json_object_get(json_object_get(event, "Actor"), "Attributes"), following->label_key);
    if (value)
        following->each(following->arg, value);
    return true;
}

void engine_follow(const char *socket, const char *label_key, const atomic_int *stop,
                   void (*each)(void *arg, const char *label_value), void *arg) {
    struct following following = {label_key, each, arg};
    struct http_call call = HTTP_CALL_INIT(1048576);
    struct err ignored;
    char path[400];
    call.timeout_us = 0;
    call.line = read_event;
    call.arg = &following;
    call.stop = stop;
    /* Health checks emit exec events by the second: only what says that a container came, went or changed. */
    (void)snprintf(path, sizeof path,
                   "/events?filters=%%7B%%22label%%22%%3A%%5B%%22%s%%22%%5D%%2C%%22event%%22%%3A%%5B%%"
                   "22start%%22%%2C%%22die%%22%%2C"
                   "%%22destroy%%22%%2C%%22oom%%22%%2C%%22pause%%22%%2C%%22update%%22%%2C%%22rename%%22%%2C%%"
                   "22health_status%%22%%5D%%7D",
                   label_key);
    (void)run(&call, socket, "GET", path, &ignored);
    http_release(&call);
}
