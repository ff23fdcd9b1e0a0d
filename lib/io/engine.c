#include "io/engine.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX (8 * 1024 * 1024)

struct exchange {
    struct str answer;
    const atomic_int *stop;
    void (*line)(void *arg, const char *line);
    void *arg;
};

static size_t take(char *p, size_t size, size_t n, void *arg) {
    struct exchange *x = arg;
    str_add(&x->answer, p, size * n);
    if (str_is_cut(&x->answer))
        return 0;
    for (char *end; x->line && x->answer.n && (end = memchr(x->answer.s, '\n', x->answer.n));) {
        size_t len = (size_t)(end - x->answer.s) + 1;
        *end = '\0';
        x->line(x->arg, x->answer.s);
        memmove(x->answer.s, x->answer.s + len, x->answer.n - len + 1);
        x->answer.n -= len;
    }
    return size * n;
}

static int check_stop(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    const struct exchange *x = arg;
    (void)a, (void)b, (void)c, (void)d;
    return x->stop && *x->stop;
}

static CURLcode perform(const char *socket, const char *method, const char *path, const char *body,
                        int64_t timeout_us, int64_t silence_s, struct exchange *x, long *status) {
    char url[1200];
    CURL *curl = curl_easy_init();
    if (!curl)
        abort();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    (void)snprintf(url, sizeof url, "http://engine/v1.41%s", path);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, check_stop);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, x);
    if (timeout_us)
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(timeout_us / 1000));
    if (silence_s) {
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)silence_s);
    }
    if (body || strcmp(method, "POST") == 0)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body ? body : "");
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return code;
}

int engine_call(const char *socket, const char *method, const char *path, const json_t *body,
                int64_t timeout_us, long *ret_status, json_t **ret, struct err *err) {
    struct exchange x = {.answer = STR_INIT(ANSWER_MAX)};
    cleanup_free char *text = body ? json_text(body) : NULL;
    CURLcode code = perform(socket, method, path, text, timeout_us, 0, &x, ret_status);
    int rc = 0;
    if (code != CURLE_OK)
        rc = err_set(err, ERR_RETRY, "the Docker Engine does not answer: %s", curl_easy_strerror(code));
    else if (ret)
        *ret = x.answer.n ? json_loadb(x.answer.s, x.answer.n, 0, NULL) : NULL;
    str_release(&x.answer);
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

static void read_progress(void *arg, const char *line) {
    struct pull *pull = arg;
    cleanup_json json_t *json = json_loads(line, 0, NULL);
    if (json_str(json, "error"))
        (void)snprintf(pull->error, sizeof pull->error, "%s", json_str(json, "error"));
}

int engine_pull(const char *socket, const char *image, struct err *err) {
    char path[600];
    long status = 0;
    struct pull pull = {0};
    struct exchange x = {.answer = STR_INIT(ANSWER_MAX), .line = read_progress, .arg = &pull};
    (void)snprintf(path, sizeof path, "/images/create?fromImage=%s", image);
    CURLcode code = perform(socket, "POST", path, NULL, 0, 60, &x, &status);
    str_release(&x.answer);
    if (code != CURLE_OK)
        return err_set(err, ERR_RETRY, "pulling \"%s\": %s", image, curl_easy_strerror(code));
    if (status == 404 || strstr(pull.error, "manifest unknown"))
        return err_set(err, ERR_PARK, "the registry does not have \"%s\"", image);
    if (status != 200 || pull.error[0])
        return err_set(err, ERR_RETRY, "pulling \"%s\": %s", image,
                       pull.error[0] ? pull.error : "refused by the Engine");
    return 0;
}

bool engine_has_image(const char *socket, const char *image) {
    char path[600];
    long status = 0;
    struct err err;
    (void)snprintf(path, sizeof path, "/images/%s/json", image);
    return engine_call(socket, "GET", path, NULL, 20000000, &status, NULL, &err) == 0 && status == 200;
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
    long status;
    struct str out = STR_TAIL(16384);
    struct exchange x = {.answer = STR_INIT(ANSWER_MAX)};
    (void)snprintf(path, sizeof path, "/containers/%.64s/logs?stdout=true&stderr=true&tail=%d", container,
                   lines);
    if (perform(socket, "GET", path, NULL, 10000000, 0, &x, &status) == CURLE_OK && status == 200)
        /* Each piece has a header of 8 bytes: stream, 3 zeros, length (Engine API, "attach"). */
        for (size_t at = 0; at + 8 <= x.answer.n;) {
            const unsigned char *h = (const unsigned char *)x.answer.s + at;
            size_t n = (size_t)h[4] << 24 | (size_t)h[5] << 16 | (size_t)h[6] << 8 | h[7];
            if (n > x.answer.n - at - 8)
                n = x.answer.n - at - 8;
            str_add(&out, x.answer.s + at + 8, n);
            at += 8 + n;
        }
    str_release(&x.answer);
    return out.s ? out.s : mem_strdup("");
}

struct following {
    const char *label_key;
    void (*each)(void *arg, const char *label_value);
    void *arg;
};

static void read_event(void *arg, const char *line) {
    struct following *following = arg;
    cleanup_json json_t *event = json_loads(line, 0, NULL);
    const char *value =
        json_str(json_object_get(json_object_get(event, "Actor"), "Attributes"), following->label_key);
    if (value)
        following->each(following->arg, value);
}

void engine_follow(const char *socket, const char *label_key, const atomic_int *stop,
                   void (*each)(void *arg, const char *label_value), void *arg) {
    struct following following = {label_key, each, arg};
    struct exchange x = {.answer = STR_INIT(1048576), .line = read_event, .arg = &following, .stop = stop};
    char path[400];
    long status;
    /* Health checks emit exec events by the second: only what says that a container came, went or changed. */
    (void)snprintf(path, sizeof path,
                   "/events?filters=%%7B%%22label%%22%%3A%%5B%%22%s%%22%%5D%%2C%%22event%%22%%3A%%5B%%"
                   "22start%%22%%2C%%22die%%22%%2C"
                   "%%22destroy%%22%%2C%%22oom%%22%%2C%%22pause%%22%%2C%%22update%%22%%2C%%22rename%%22%%2C%%"
                   "22health_status%%22%%5D%%7D",
                   label_key);
    (void)perform(socket, "GET", path, NULL, 0, 0, &x, &status);
    str_release(&x.answer);
}
