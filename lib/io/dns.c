#include "io/dns.h"

#include "base/file.h"
#include "base/rnd.h"
#include "base/str.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_S 5

int dns_open(struct dns_server *server, const char *at, const char *zone, const char *key_file,
             struct err *err) {
    int64_t port;
    const char *colon = strrchr(at, ':');
    if (!colon || !str_to_int(colon + 1, 1, 65535, &port) || colon - at >= (int)sizeof server->address)
        return err_set(err, ERR_PARK, "\"%s\" is not ADDRESS:PORT", at);
    *server = (struct dns_server){.port = (int)port};
    (void)snprintf(server->address, sizeof server->address, "%.*s", (int)(colon - at), at);
    (void)snprintf(server->zone, sizeof server->zone, "%s", zone);
    if (!key_file)
        return 0;
    cleanup_free char *text = NULL;
    if (file_read_secret(key_file, 4096, &text, NULL, err) < 0)
        return -1;
    if (sscanf(text, "%31[^:]:%63[^:]:%127s", server->key_algorithm, server->key_name, server->key_secret) !=
        3)
        return err_set(err, ERR_PARK, "\"%s\" is not ALGORITHM:NAME:SECRET", key_file);
    return 0;
}

static ldns_rr *new_rr(const char *host, ldns_rr_type type, ldns_rr_class cls, uint32_t ttl) {
    ldns_rr *rr = ldns_rr_new();
    ldns_rr_set_owner(rr, ldns_dname_new_frm_str(host));
    ldns_rr_set_type(rr, type);
    ldns_rr_set_class(rr, cls);
    ldns_rr_set_ttl(rr, ttl);
    return rr;
}

static ldns_rr *text_rr(const char *host, const char *text, uint32_t ttl) {
    ldns_rdf *rdf = NULL;
    ldns_rr *rr = new_rr(host, LDNS_RR_TYPE_TXT, LDNS_RR_CLASS_IN, ttl);
    char quoted[256];
    (void)snprintf(quoted, sizeof quoted, "%s", text);
    (void)ldns_str2rdf_str(&rdf, quoted);
    ldns_rr_push_rdf(rr, rdf);
    return rr;
}

static ldns_rr *address_rr(const char *host, const char *address, uint32_t ttl) {
    ldns_rr *rr = new_rr(host, LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, ttl);
    ldns_rr_push_rdf(rr, ldns_rdf_new_frm_str(LDNS_RDF_TYPE_A, address));
    return rr;
}

/* An answer, and its bytes: what a signature is over. */
struct received {
    ldns_pkt *packet;
    uint8_t *wire;
    size_t n;
};

static void received_release(struct received *received) {
    ldns_pkt_free(received->packet);
    free(received->wire);
}

/* One packet by TCP. */
static int exchange(const struct dns_server *server, ldns_pkt *query, struct received *ret, struct err *err) {
    size_t storage_n = 0;
    ldns_buffer *buffer = ldns_buffer_new(LDNS_MAX_PACKETLEN);
    ldns_rdf *to = ldns_rdf_new_frm_str(LDNS_RDF_TYPE_A, server->address);
    struct sockaddr_storage *at =
        to ? ldns_rdf2native_sockaddr_storage(to, (uint16_t)server->port, &storage_n) : NULL;
    struct timeval timeout = {.tv_sec = TIMEOUT_S};
    *ret = (struct received){0};
    if (at && ldns_pkt2buffer_wire(buffer, query) == LDNS_STATUS_OK &&
        ldns_tcp_send(&ret->wire, buffer, at, (socklen_t)storage_n, timeout, &ret->n) == LDNS_STATUS_OK)
        (void)ldns_wire2pkt(&ret->packet, ret->wire, ret->n);
    free(at);
    ldns_rdf_deep_free(to);
    ldns_buffer_free(buffer);
    if (ret->packet && ldns_pkt_id(ret->packet) == ldns_pkt_id(query))
        return 0;
    received_release(ret);
    return err_set(err, ERR_RETRY, "the DNS server at %s port %d does not answer", server->address,
                   server->port);
}

static ldns_pkt *ask_type(const struct dns_server *server, const char *host, ldns_rr_type type,
                          struct err *err) {
    ldns_rdf *name = ldns_dname_new_frm_str(host);
    if (!name) {
        (void)err_set(err, ERR_PARK, "\"%s\" is not a DNS name", host);
        return NULL;
    }
    ldns_pkt *query = ldns_pkt_query_new(name, type, LDNS_RR_CLASS_IN, 0);
    ldns_pkt_set_random_id(query);
    struct received received;
    int rc = exchange(server, query, &received, err);
    ldns_pkt_free(query);
    if (rc < 0)
        return NULL;
    free(received.wire);
    return received.packet;
}

/* The value of the one record of that type, as text; "several" for more. */
static const char *one_value(const ldns_pkt *packet, ldns_rr_type type, struct arena *arena) {
    const char *found = NULL;
    ldns_rr_list *list = ldns_pkt_answer(packet);
    for (size_t i = 0; list && i < ldns_rr_list_rr_count(list); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, i);
        if (ldns_rr_get_type(rr) != type)
            continue;
        char *text = ldns_rdf2str(ldns_rr_rdf(rr, 0));
        size_t n = strlen(text);
        bool quoted = n > 1 && text[0] == '"';
        found = found ? "several" : arena_strndup(arena, text + quoted, n - 2 * quoted);
        free(text);
    }
    return found;
}

static const char *rdf_text(const ldns_rdf *rdf, struct arena *arena) {
    char *text = ldns_rdf2str(rdf);
    const char *kept = arena_strdup(arena, text);
    free(text);
    return kept;
}

/* The owner of NS records in an answer that is no answer: a zone below ours, which others hold. */
static const char *find_zone_cut(const struct dns_server *server, const ldns_pkt *packet,
                                 struct arena *arena) {
    const ldns_rr_list *list = ldns_pkt_authority(packet);
    ldns_rdf *zone = ldns_dname_new_frm_str(server->zone);
    const char *found = NULL;
    for (size_t i = 0; list && i < ldns_rr_list_rr_count(list) && !found && !ldns_pkt_aa(packet); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, i);
        if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_NS && ldns_dname_is_subdomain(ldns_rr_owner(rr), zone))
            found = rdf_text(ldns_rr_owner(rr), arena);
    }
    ldns_rdf_deep_free(zone);
    return found;
}

static const char *find_alias(const ldns_pkt *packet, struct arena *arena) {
    const ldns_rr_list *list = ldns_pkt_answer(packet);
    const ldns_rr *first = list && ldns_rr_list_rr_count(list) ? ldns_rr_list_rr(list, 0) : NULL;
    return first && ldns_rr_get_type(first) == LDNS_RR_TYPE_CNAME ? rdf_text(ldns_rr_rdf(first, 0), arena)
                                                                  : NULL;
}

static int ask_both(const struct dns_server *server, const char *host, struct arena *arena,
                    struct dns_answer *ret, struct err *err) {
    ldns_pkt *a = ask_type(server, host, LDNS_RR_TYPE_A, err);
    ldns_pkt *txt = a ? ask_type(server, host, LDNS_RR_TYPE_TXT, err) : NULL;
    int rc = -1;
    if (txt) {
        ldns_pkt_rcode code = ldns_pkt_get_rcode(a), text_code = ldns_pkt_get_rcode(txt);
        if ((code != LDNS_RCODE_NOERROR && code != LDNS_RCODE_NXDOMAIN) ||
            (text_code != LDNS_RCODE_NOERROR && text_code != LDNS_RCODE_NXDOMAIN)) {
            (void)err_set(err, ERR_RETRY, "the DNS server answers with code %d for \"%s\"", (int)code, host);
        } else {
            *ret = (struct dns_answer){
                .authoritative = ldns_pkt_aa(a),
                .exists = code == LDNS_RCODE_NOERROR,
                .address = one_value(a, LDNS_RR_TYPE_A, arena),
                .text = one_value(txt, LDNS_RR_TYPE_TXT, arena),
                .alias = find_alias(a, arena),
                .zone_cut = find_zone_cut(server, a, arena),
            };
            rc = 0;
        }
    }
    ldns_pkt_free(a);
    ldns_pkt_free(txt);
    return rc;
}

static bool is_ours(const struct dns_answer *answer) {
    return answer->text && str_starts(answer->text, "fairlead ");
}

/* A wildcard answers for a name beside it, which nobody can have, with the same. */
int dns_ask(const struct dns_server *server, const char *host, struct arena *arena, struct dns_answer *ret,
            struct err *err) {
    struct dns_answer beside;
    const char *dot = strchr(host, '.');
    if (ask_both(server, host, arena, ret, err) < 0)
        return -1;
    if (!dot || is_ours(ret) || !(ret->text || ret->address || ret->alias))
        return 0;
    const char *nobody = arena_printf(arena, "fairlead-nobody-%016llx%s", (unsigned long long)rnd_u64(), dot);
    if (ask_both(server, nobody, arena, &beside, err) < 0)
        return -1;
    if (str_eq(beside.text, ret->text) && str_eq(beside.address, ret->address) &&
        str_eq(beside.alias, ret->alias))
        *ret = (struct dns_answer){.authoritative = ret->authoritative};
    return 0;
}

/* What the answer's TSIG record says went wrong (RFC 8945, 3); 0: nothing, or there is none. */
static int tsig_error(const ldns_pkt *answer) {
    const ldns_rr *tsig = ldns_pkt_tsig(answer);
    const ldns_rdf *error = tsig && ldns_rr_rd_count(tsig) > 5 ? ldns_rr_rdf(tsig, 5) : NULL;
    return error ? ldns_rdf2native_int16(error) : 0;
}

enum { TSIG_BADSIG = 16, TSIG_BADKEY = 17, TSIG_BADTIME = 18 };

static int judge_refusal(const struct dns_server *server, const ldns_pkt *answer, struct err *err) {
    int rcode = (int)ldns_pkt_get_rcode(answer);
    switch (tsig_error(answer)) {
    case TSIG_BADTIME:
        return err_set(err, ERR_RETRY,
                       "the clocks of this machine and of the DNS server are more than five minutes apart");
    case TSIG_BADSIG:
    case TSIG_BADKEY:
        return err_set(err, ERR_PARK, "the DNS server refuses our key for zone \"%s\"", server->zone);
    default:
        break;
    }
    /* A frozen zone, a reload, an address that its list leaves out: it passes, or somebody mends it. */
    if (rcode == LDNS_RCODE_REFUSED)
        return err_set(err, ERR_RETRY, "the DNS server takes no updates of zone \"%s\" from here just now",
                       server->zone);
    return err_set(err, ERR_PARK, "the DNS server does not hold zone \"%s\"", server->zone);
}

static int judge(const struct dns_server *server, const char *host, const ldns_pkt *answer, struct err *err) {
    switch ((int)ldns_pkt_get_rcode(answer)) {
    case LDNS_RCODE_NOERROR:
        return 0;
    case LDNS_RCODE_YXDOMAIN:
        (void)err_set(err, ERR_RETRY, "somebody else changed \"%s\" meanwhile", host);
        (void)snprintf(err->code, sizeof err->code, DNS_IN_USE);
        return -1;
    case LDNS_RCODE_YXRRSET:
    case LDNS_RCODE_NXRRSET:
    case LDNS_RCODE_NXDOMAIN:
        return err_set(err, ERR_RETRY, "somebody else changed \"%s\" meanwhile", host);
    case LDNS_RCODE_NOTAUTH:
    case LDNS_RCODE_REFUSED:
        return judge_refusal(server, answer, err);
    case LDNS_RCODE_NOTZONE:
        return err_set(err, ERR_PARK, "\"%s\" is not in zone \"%s\"", host, server->zone);
    default:
        return err_set(err, ERR_RETRY, "the DNS server answers an update with code %d",
                       (int)ldns_pkt_get_rcode(answer));
    }
}

/* The MAC of the question is part of what its answer is signed over. */
static bool is_signed(const struct dns_server *server, const ldns_pkt *query,
                      const struct received *received) {
    const ldns_rr *tsig = ldns_pkt_tsig(query);
    ldns_rdf *mac = tsig ? ldns_rr_rdf(tsig, 3) : NULL;
    return mac && ldns_pkt_tsig(received->packet) &&
           ldns_pkt_tsig_verify(received->packet, received->wire, received->n, server->key_name,
                                server->key_secret, mac);
}

int dns_change(const struct dns_server *server, const struct dns_change *change, struct err *err) {
    ldns_rr_list *prerequisites = ldns_rr_list_new(), *updates = ldns_rr_list_new();
    /* RFC 2136 2.4.2: "RRset equals" has TTL 0; 2.4.3: "RRset does not exist" is its type of class
     * NONE; 2.4.5: "name is not in use" is ANY of class NONE. */
    if (change->expect) {
        ldns_rr_list_push_rr(prerequisites, text_rr(change->host, change->expect, 0));
    } else if (change->expect_address) {
        ldns_rr_list_push_rr(prerequisites, address_rr(change->host, change->expect_address, 0));
        ldns_rr_list_push_rr(prerequisites, new_rr(change->host, LDNS_RR_TYPE_TXT, LDNS_RR_CLASS_NONE, 0));
    } else {
        ldns_rr_list_push_rr(prerequisites, new_rr(change->host, LDNS_RR_TYPE_ANY, LDNS_RR_CLASS_NONE, 0));
    }
    /* 2.5.2: deleting an RRset is class ANY, TTL 0, no data. */
    ldns_rr_list_push_rr(updates, new_rr(change->host, LDNS_RR_TYPE_A, LDNS_RR_CLASS_ANY, 0));
    ldns_rr_list_push_rr(updates, new_rr(change->host, LDNS_RR_TYPE_TXT, LDNS_RR_CLASS_ANY, 0));
    if (change->text)
        ldns_rr_list_push_rr(updates, text_rr(change->host, change->text, change->ttl));
    if (change->address)
        ldns_rr_list_push_rr(updates, address_rr(change->host, change->address, change->ttl));
    ldns_pkt *packet = ldns_update_pkt_new(ldns_dname_new_frm_str(server->zone), LDNS_RR_CLASS_IN,
                                           prerequisites, updates, NULL);
    char algorithm[48];
    (void)snprintf(algorithm, sizeof algorithm, "%s.", server->key_algorithm);
    ldns_pkt_set_random_id(packet);
    int rc = -1;
    struct received received;
    if (ldns_pkt_tsig_sign(packet, server->key_name, server->key_secret, 300, algorithm, NULL) !=
        LDNS_STATUS_OK) {
        (void)err_set(err, ERR_PARK, "an update cannot be signed: the TSIG key is not usable");
    } else if (exchange(server, packet, &received, err) == 0) {
        rc = judge(server, change->host, received.packet, err);
        if (rc == 0 && !is_signed(server, packet, &received))
            rc =
                err_set(err, ERR_RETRY, "an answer in the name of the DNS server is not signed with our key");
        received_release(&received);
    }
    ldns_pkt_free(packet); /* has copies of its own */
    ldns_rr_list_deep_free(prerequisites);
    ldns_rr_list_deep_free(updates);
    return rc;
}
