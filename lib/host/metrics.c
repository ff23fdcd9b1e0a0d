#include "host/metrics.h"

#include "base/metrics.h"
#include "base/str.h"
#include "io/httpd.h"

#include <stdio.h>
#include <string.h>

static void count_document(void *arg, const char *kind, const char *condition) {
    char labels[48];
    (void)arg;
    (void)snprintf(labels, sizeof labels, "%s|%s", kind, *condition ? condition : "working");
    metric_add(METRIC_DOCUMENTS_HELD, labels, 1);
}

static void answer(void *arg, struct httpd_request *request) {
    cleanup_str struct str out = STR_INIT(1048576);
    bool asked = str_eq(request->path, "/metrics") && str_eq(request->method, "GET");
    if (asked) {
        metric_clear(METRIC_DOCUMENTS_HELD);
        keeper_each(arg, count_document, NULL);
        metrics_print(&out, METRICS_WORKER);
    } else {
        str_adds(&out, "only GET /metrics is here\n");
    }
    struct httpd_reply reply = {.status = asked ? 200 : 404,
                                .type = "text/plain; version=0.0.4",
                                .body = str_text(&out),
                                .body_n = out.n};
    httpd_answer(request, &reply);
}

int metrics_serve(const char *at, struct keeper *keeper, struct httpd **ret, struct err *err) {
    char address[32];
    int64_t port;
    const char *colon = strrchr(at, ':');
    *ret = NULL;
    if (!*at)
        return 0;
    if (!colon || !str_starts(at, "127.") || colon - at >= (int)sizeof address ||
        !str_to_int(colon + 1, 1, 65535, &port))
        return err_set(err, ERR_PARK, "setting \"metrics\" takes 127.x.x.x:PORT, not \"%.60s\"", at);
    (void)snprintf(address, sizeof address, "%.*s", (int)(colon - at), at);
    struct httpd_conf conf = {.address = address,
                              .port = (int)port,
                              .body_max = 0,
                              .connections_max = 10,
                              .connections_per_address = 10,
                              .request_s = 10,
                              .handler = answer,
                              .arg = keeper};
    *ret = httpd_start(&conf, err);
    return *ret ? 0 : -1;
}
