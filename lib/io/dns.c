#include "io/dns.h"

#include "base/file.h"
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

/* One packet by TCP, and the answer. */
static ldns_pkt *exchange(const struct dns_server *server, ldns_pkt *query, struct err *err) {
    uint8_t *wire = NULL, *answer_wire = NULL;
    size_t n = 0, answer_n = 0;
    ldns_pkt *answer = NULL;
    size_t storage_n = 0;
    ldns_buffer *buffer = ldns_buffer_new(LDNS_MAX_PACKETLEN);
    ldns_rdf *to = ldns_rdf_new_frm_str(LDNS_RDF_TYPE_A, server->address);
    struct sockaddr_storage *at =
        to ? ldns_rdf2native_sockaddr_storage(to, (uint16_t)server->port, &storage_n) : NULL;
    struct timeval timeout = {.tv_sec = TIMEOUT_S};
    (void)wire, (void)n;
    if (at && ldns_pkt2buffer_wire(buffer, query) == LDNS_STATUS_OK &&
        ldns_tcp_send(&answer_wire, buffer, at, (socklen_t)storage_n, timeout, &answer_n) == LDNS_STATUS_OK)
        (void)ldns_wire2pkt(&answer, answer_wire, answer_n);
    if (!answer)
        (void)err_set(err, ERR_RETRY, "the DNS server at %s port %d does not answer", server->address,
                      server->port);
    free(answer_wire);
    free(at);
    ldns_rdf_deep_free(to);
    ldns_buffer_free(buffer);
    return answer;
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
    ldns_pkt *answer = exchange(server, query, err);
    ldns_pkt_free(query);
    return answer;
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

int dns_ask(const struct dns_server *server, const char *host, struct arena *arena, struct dns_answer *ret,
            struct err *err) {
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
            };
            rc = 0;
        }
    }
    ldns_pkt_free(a);
    ldns_pkt_free(txt);
    return rc;
}

static int judge(const struct dns_server *server, const char *host, const ldns_pkt *answer, struct err *err) {
    switch ((int)ldns_pkt_get_rcode(answer)) {
    case LDNS_RCODE_NOERROR:
        return 0;
    case LDNS_RCODE_YXDOMAIN:
    case LDNS_RCODE_YXRRSET:
    case LDNS_RCODE_NXRRSET:
    case LDNS_RCODE_NXDOMAIN:
        return err_set(err, ERR_RETRY, "somebody else changed \"%s\" meanwhile", host);
    case LDNS_RCODE_NOTAUTH:
    case LDNS_RCODE_REFUSED:
        return err_set(err, ERR_PARK, "the DNS server refuses our key for zone \"%s\"", server->zone);
    case LDNS_RCODE_NOTZONE:
        return err_set(err, ERR_PARK, "\"%s\" is not in zone \"%s\"", host, server->zone);
    default:
        return err_set(err, ERR_RETRY, "the DNS server answers an update with code %d",
                       (int)ldns_pkt_get_rcode(answer));
    }
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
    ldns_rr_list_push_rr(updates, text_rr(change->host, change->text, change->ttl));
    if (change->address)
        ldns_rr_list_push_rr(updates, address_rr(change->host, change->address, change->ttl));
    ldns_pkt *packet = ldns_update_pkt_new(ldns_dname_new_frm_str(server->zone), LDNS_RR_CLASS_IN,
                                           prerequisites, updates, NULL);
    char algorithm[48];
    (void)snprintf(algorithm, sizeof algorithm, "%s.", server->key_algorithm);
    ldns_pkt_set_random_id(packet);
    int rc = -1;
    if (ldns_pkt_tsig_sign(packet, server->key_name, server->key_secret, 300, algorithm, NULL) !=
        LDNS_STATUS_OK) {
        (void)err_set(err, ERR_PARK, "an update cannot be signed: the TSIG key is not usable");
    } else {
        ldns_pkt *answer = exchange(server, packet, err);
        if (answer)
            rc = judge(server, change->host, answer, err);
        ldns_pkt_free(answer);
    }
    ldns_pkt_free(packet); /* has copies of its own */
    ldns_rr_list_deep_free(prerequisites);
    ldns_rr_list_deep_free(updates);
    return rc;
}
