/* F5: one name, one address, one owner. The marker (a TXT record beside the address) says whose the name is
 * and which order wrote it last; every update carries exactly what was read as its prerequisite (protocol
 * section 9). */
#include "base/fault.h"
#include "io/dns.h"
#include "worker/worker.h"

#include <stdio.h>
#include <string.h>

struct marker {
    char owner[33];
    unsigned epoch;
    unsigned long long serial;
};

static bool parse_marker(const char *text, struct marker *ret) {
    return sscanf(text, "fairlead owner=%32[0-9a-f] epoch=%u serial=%llu", ret->owner, &ret->epoch,
                  &ret->serial) == 3;
}

/* 1: this order may go on, *expect is what must be there. 0: what is wanted is there already. */
static int look(const Fairlead__V1__Dns *dns, const struct dns_answer *answer, const char *ours,
                const char *owner, unsigned epoch, const char **expect, struct err *err) {
    struct marker marker;
    *expect = answer->text;
    if (answer->zone_cut)
        return err_set(err, ERR_PARK, "The name \"%s\" is below \"%s\", which is delegated to other servers.",
                       dns->host, answer->zone_cut);
    if (answer->alias)
        return err_set(err, ERR_PARK, "The name \"%s\" is in use: it is an alias (CNAME) of \"%s\".",
                       dns->host, answer->alias);
    if (!answer->text) {
        bool bare = dns->adopt && str_eq(answer->address, dns->address); /* only its marker was taken away */
        if (answer->address && !bare)
            return err_set(err, ERR_PARK, "The name \"%s\" is in use by something that is not ours.",
                           dns->host);
        return 1; /* also of a name that is not there: the marker keeps a late create from bringing it back */
    }
    if (!parse_marker(answer->text, &marker))
        return err_set(err, ERR_PARK, "The name \"%s\" carries a text that is not ours.", dns->host);
    if (strcmp(marker.owner, owner) != 0) {
        if (*dns->replaces && strcmp(dns->replaces, answer->text) == 0)
            return 1;
        return err_set(err, ERR_PARK, "The name \"%s\" belongs to another instance.", dns->host);
    }
    if (marker.epoch > epoch || (marker.epoch == epoch && marker.serial > dns->serial))
        return err_set(err, ERR_PARK, "A newer order for \"%s\" has been carried out already.", dns->host);
    bool there = strcmp(answer->text, ours) == 0 &&
                 (dns->absent ? !answer->address : str_eq(answer->address, dns->address));
    return there ? 0 : 1;
}

/* The name holds something. If it is still no address and no text, it is what nobody here looks at. */
static int judge_other_records(const struct dns_server *server, const Fairlead__V1__Dns *dns,
                               struct arena *arena, const char **ret_cls, struct err *err) {
    struct dns_answer now;
    if (dns_ask(server, dns->host, arena, &now, err) < 0)
        return -1;
    if (now.text || now.address)
        return -1; /* somebody was faster: the next try sees it */
    *ret_cls = "name_taken";
    return err_set(err, ERR_PARK, "The name \"%s\" is in use: it holds other records (AAAA, MX or the like).",
                   dns->host);
}

/* A name that nobody has had for so long that no late order can come: its marker goes, or the one that its
 * last owner was to replace and never did, and whatever address stands beside it. What is another's is left
 * alone, and is no failure. */
static int forget_name(const struct dns_server *server, const Fairlead__V1__Order *order, const char *owner,
                       struct arena *arena, const char **ret_cls, struct err *err) {
    const Fairlead__V1__Dns *dns = order->dns;
    struct dns_answer answer;
    struct marker marker;
    *ret_cls = "dns_unreachable";
    if (dns_ask(server, dns->host, arena, &answer, err) < 0)
        return -1;
    bool ours = answer.text && parse_marker(answer.text, &marker) && strcmp(marker.owner, owner) == 0;
    bool left = answer.text && *dns->replaces && strcmp(answer.text, dns->replaces) == 0;
    if (!ours && !left)
        return 0;
    *ret_cls = "dns_refused";
    struct dns_change change = {.host = dns->host, .expect = answer.text};
    const char *was = answer.text;
    if (dns_change(server, &change, err) < 0 || dns_ask(server, dns->host, arena, &answer, err) < 0)
        return -1;
    return str_eq(answer.text, was) ? err_set(err, ERR_RETRY, "\"%s\" reads back as it was", dns->host) : 0;
}

static int point_name(struct worker *worker, const Fairlead__V1__Order *order, struct arena *arena,
                      const char **ret_cls, struct err *err) {
    const Fairlead__V1__Dns *dns = order->dns;
    struct dns_server server;
    struct dns_answer answer;
    char owner[33] = "", ours[128];
    const char *expect;
    *ret_cls = "dns_unreachable";
    if (dns->owner.len != 16)
        return err_set(err, ERR_PARK, "The order names no owner.");
    hex_encode(owner, dns->owner.data, 16);
    (void)snprintf(ours, sizeof ours, "fairlead owner=%s epoch=%u serial=%llu", owner, order->epoch,
                   (unsigned long long)dns->serial);
    if (dns_open(&server, worker->conf.dns_server, worker->conf.zone, worker->conf.dns_key_file, err) < 0)
        return -1;
    if (dns->forget)
        return forget_name(&server, order, owner, arena, ret_cls, err);
    if (dns_ask(&server, dns->host, arena, &answer, err) < 0)
        return -1;
    *ret_cls = "name_taken";
    int rc = look(dns, &answer, ours, owner, order->epoch, &expect, err);
    if (rc <= 0)
        return rc;
    if (fault_check(FAULT_NAME_READ, err) < 0)
        return -1;
    *ret_cls = "dns_refused";
    struct dns_change change = {
        .host = dns->host,
        .expect = expect,
        .expect_address = expect ? NULL : answer.address,
        .address = dns->absent ? NULL : dns->address,
        .text = ours,
        .ttl = dns->ttl,
    };
    bool unused = !expect && !answer.address; /* as far as addresses and texts go */
    if (dns_change(&server, &change, err) < 0) {
        if (unused && str_eq(err->code, DNS_IN_USE))
            return judge_other_records(&server, dns, arena, ret_cls, err);
        return -1;
    }
    if (fault_check(FAULT_NAME_SENT, err) < 0)
        return -1;
    /* NOERROR proves nothing: read back from the authoritative server. */
    if (dns_ask(&server, dns->host, arena, &answer, err) < 0)
        return -1;
    if (!answer.authoritative || !str_eq(answer.text, ours) ||
        !str_eq(answer.address, dns->absent ? NULL : dns->address))
        return err_set(err, ERR_RETRY, "\"%s\" does not read back as it was written", dns->host);
    return 0;
}

void order_name(struct worker *worker, const Fairlead__V1__Order *order, struct arena *arena,
                struct result *result) {
    struct err err = {0};
    const char *cls = NULL;
    if (point_name(worker, order, arena, &cls, &err) < 0) {
        result_fail(result, arena, cls, &err);
        return;
    }
    result_fact(result, arena, "address", order->dns->absent ? "" : order->dns->address);
    result_ok(result);
}
