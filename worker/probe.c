/* F7: fetch a name as a stranger would, and decide from what comes back. The authoritative server is asked
 * and its answer pinned (otherwise nothing is proved about DNS); then the proxy, then the app. All
 * expectations of the release, and the app's own identity on every answer, and on the path that needs its
 * data store. */
#include "io/dns.h"
#include "io/http.h"
#include "worker/worker.h"

#include <stdio.h>
#include <string.h>

#define BODY_MAX (4 * 1024 * 1024)

static int judge_answer(const Fairlead__V1__Probe *probe, const Fairlead__V1__Expectation *expect,
                        const struct http_call *call, const char **ret_cls, struct err *err) {
    char name[64];
    const char *body = str_text(&call->answer), *colon = strchr(expect->header, ':');
    *ret_cls = "wrong_identity";
    if (!http_has_header(call, "x-fairlead-identity", probe->identity))
        return err_set(err, ERR_RETRY, "\"%s%s\" was answered (%ld) by something that is not this instance",
                       probe->host, expect->path, call->status);
    *ret_cls = "wrong_answer";
    if ((uint32_t)call->status != expect->status)
        return err_set(err, ERR_RETRY, "\"%s%s\" answered with status %ld, not %u", probe->host, expect->path,
                       call->status, expect->status);
    if (colon) {
        (void)snprintf(name, sizeof name, "%.*s", (int)(colon - expect->header), expect->header);
        for (char *p = name; *p; p++)
            if (*p >= 'A' && *p <= 'Z')
                *p = (char)(*p + 32);
        const char *part = colon + 1 + strspn(colon + 1, " ");
        if (!http_has_header(call, name, part))
            return err_set(err, ERR_RETRY, "\"%s%s\" lacks the header \"%s\"", probe->host, expect->path,
                           expect->header);
    }
    if (*expect->body && !strstr(body, expect->body))
        return err_set(err, ERR_RETRY, "\"%s%s\" does not show what it should", probe->host, expect->path);
    if (expect->identity && !strstr(body, probe->identity))
        return err_set(err, ERR_RETRY, "\"%s%s\" does not prove that its data store works", probe->host,
                       expect->path);
    return 0;
}

static int fetch(const Fairlead__V1__Probe *probe, const Fairlead__V1__Expectation *expect,
                 const char **ret_cls, struct err *err) {
    char url[512];
    struct http_call call = HTTP_CALL_INIT(BODY_MAX);
    (void)snprintf(url, sizeof url, "%s://%s:%u%s", probe->scheme, probe->host, probe->port, expect->path);
    call.method = "GET";
    call.url = url;
    call.connect_to = probe->address;
    call.timeout_us = 10000000;
    call.fresh = true;
    *ret_cls = "unreachable";
    int rc = http_run(&call, err);
    if (rc == 0)
        rc = judge_answer(probe, expect, &call, ret_cls, err);
    http_release(&call);
    return rc;
}

static int verify(struct worker *worker, const Fairlead__V1__Probe *probe, struct arena *arena,
                  const char **ret_cls, struct err *err) {
    struct dns_server server;
    struct dns_answer answer;
    *ret_cls = "dns_unreachable";
    if (dns_open(&server, worker->conf.dns_server, worker->conf.zone, NULL, err) < 0 ||
        dns_ask(&server, probe->host, arena, &answer, err) < 0)
        return -1;
    *ret_cls = "wrong_address";
    if (!answer.authoritative || !str_eq(answer.address, probe->address))
        return err_set(err, ERR_RETRY, "\"%s\" points to %s, not to %s", probe->host,
                       answer.address ? answer.address : "nothing", probe->address);
    if (!*probe->identity || !probe->n_expect) {
        *ret_cls = "no_contract";
        return err_set(err, ERR_PARK, "The release does not say how it proves itself.");
    }
    for (size_t i = 0; i < probe->n_expect; i++)
        if (fetch(probe, probe->expect[i], ret_cls, err) < 0)
            return -1;
    return 0;
}

void order_probe(struct worker *worker, const Fairlead__V1__Probe *probe, struct arena *arena,
                 struct outcome *outcome) {
    struct err err = {0};
    const char *cls = NULL;
    if (verify(worker, probe, arena, &cls, &err) < 0)
        outcome_fail(outcome, arena, cls, &err);
    else
        outcome_ok(outcome);
}
