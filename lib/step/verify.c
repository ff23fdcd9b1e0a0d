#include "step/verify.h"

#include "base/fault.h"
#include "base/str.h"
#include "io/dns.h"
#include "io/http.h"

#include <stdio.h>
#include <string.h>

#define BODY_MAX (4 * 1024 * 1024)
#define FETCH_US 10000000

static int judge_header(const Fairlead__V1__Probe *probe, const Fairlead__V1__Expectation *expect,
                        const struct http_call *call, struct err *err) {
    char name[64];
    const char *colon = strchr(expect->header, ':');
    if (!colon)
        return 0;
    (void)snprintf(name, sizeof name, "%.*s", (int)(colon - expect->header), expect->header);
    for (char *p = name; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 32);
    if (http_has_header(call, name, colon + 1 + strspn(colon + 1, " ")))
        return 0;
    return err_set(err, ERR_RETRY, "\"%s%s\" lacks the header \"%s\"", probe->host, expect->path,
                   expect->header);
}

/* Exactly one header, and it is ours: a second one is somebody who answers for everybody. */
static int judge_identity(const Fairlead__V1__Probe *probe, const Fairlead__V1__Expectation *expect,
                          const struct http_call *call, const char **ret_code, struct err *err) {
    char value[64];
    size_t n = http_count_header(call, "x-fairlead-identity", value, sizeof value);
    *ret_code = "wrong_identity";
    if (n == 1 && str_eq(value, probe->identity))
        return 0;
    if (n == 1)
        return err_set(err, ERR_RETRY, "\"%s%s\" was answered (%ld) by something that is not this instance",
                       probe->host, expect->path, call->status);
    if (n > 1)
        return err_set(err, ERR_RETRY,
                       "\"%s%s\" was answered (%ld) with %zu X-Fairlead-Identity headers, not one",
                       probe->host, expect->path, call->status, n);
    *ret_code = "no_identity";
    return err_set(
        err, ERR_RETRY,
        "\"%s%s\" was answered (%ld) without the header X-Fairlead-Identity: either this is another "
        "server, or the app does not send it (docs/CATALOGUE.md)",
        probe->host, expect->path, call->status);
}

static int judge_answer(const Fairlead__V1__Probe *probe, const Fairlead__V1__Expectation *expect,
                        const struct http_call *call, const char **ret_code, struct err *err) {
    const char *body = str_text(&call->answer);
    *ret_code = "no_connection";
    if (http_has_header(call, "x-fairlead-edge", "no connection"))
        return err_set(err, ERR_RETRY, "the edge cannot connect to the application behind \"%s\"",
                       probe->host);
    *ret_code = "no_answer";
    if (http_has_header(call, "x-fairlead-edge", "no answer"))
        return err_set(err, ERR_RETRY, "the application behind \"%s\" does not answer the edge", probe->host);
    if (judge_identity(probe, expect, call, ret_code, err) < 0)
        return -1;
    *ret_code = "wrong_answer";
    if ((uint32_t)call->status != expect->status)
        return err_set(err, ERR_RETRY, "\"%s%s\" answered with status %ld, not %u", probe->host, expect->path,
                       call->status, expect->status);
    if (judge_header(probe, expect, call, err) < 0)
        return -1;
    if (*expect->body && !strstr(body, expect->body))
        return err_set(err, ERR_RETRY, "\"%s%s\" does not show what it should", probe->host, expect->path);
    if (expect->identity && !strstr(body, probe->identity))
        return err_set(err, ERR_RETRY, "\"%s%s\" does not prove that its data store works", probe->host,
                       expect->path);
    return 0;
}

static int fetch(const Fairlead__V1__Probe *probe, const Fairlead__V1__Expectation *expect,
                 const char **ret_code, struct err *err) {
    char url[512];
    struct http_call call = HTTP_CALL_INIT(BODY_MAX);
    (void)snprintf(url, sizeof url, "%s://%s:%u%s", probe->scheme, probe->host, probe->port, expect->path);
    call.method = "GET";
    call.url = url;
    call.connect_to = probe->address;
    call.timeout_us = FETCH_US;
    call.fresh = true;
    *ret_code = "unreachable";
    int rc = http_run(&call, err);
    if (rc == 0)
        rc = judge_answer(probe, expect, &call, ret_code, err);
    http_release(&call);
    return rc;
}

/* The name points to the edge, and carries the marker of this instance. */
static int judge_name(const struct verify_dns *dns, const Fairlead__V1__Probe *probe, struct arena *arena,
                      const char **ret_code, struct err *err) {
    struct dns_server server;
    struct dns_answer answer;
    char owner[33] = "";
    if (!*dns->server) /* out of reach: what is fetched is fetched by its name from where it should be */
        return 0;
    *ret_code = "dns_unreachable";
    if (dns_open(&server, dns->server, dns->zone, NULL, err) < 0 ||
        dns_ask(&server, probe->host, arena, &answer, err) < 0)
        return -1;
    *ret_code = "wrong_address";
    if (!answer.authoritative || !str_eq(answer.address, probe->address))
        return err_set(err, ERR_RETRY, "\"%s\" points to %s, not to %s", probe->host,
                       answer.address ? answer.address : "nothing", probe->address);
    if (probe->owner.len != 16)
        return 0;
    *ret_code = "wrong_marker";
    hex_encode(owner, probe->owner.data, 16);
    if (!str_starts(answer.text ? answer.text : "", arena_printf(arena, "fairlead owner=%s ", owner)))
        return err_set(err, ERR_RETRY, "\"%s\" does not carry the marker of this instance", probe->host);
    return 0;
}

int verify_instance(const struct verify_dns *dns, const Fairlead__V1__Probe *probe, struct arena *arena,
                    const char **ret_code, struct err *err) {
    if (judge_name(dns, probe, arena, ret_code, err) < 0 || fault_check(FAULT_VERIFY_NAMED, err) < 0)
        return -1;
    if (!*probe->identity || !probe->n_expect) {
        *ret_code = "no_contract";
        return err_set(err, ERR_PARK, "The release does not say how it proves itself.");
    }
    for (size_t i = 0; i < probe->n_expect; i++)
        if (fetch(probe, probe->expect[i], ret_code, err) < 0)
            return -1;
    return fault_check(FAULT_VERIFY_FETCHED, err);
}
