/* DNS by ldns: questions to one authoritative server, and RFC 2136 updates signed with TSIG (RFC 8945), each
 * with prerequisites, so that the server compares and sets at once. Packets are sent by ourselves: ldns's
 * resolver hides why an update was refused. */
#ifndef FAIRLEAD_IO_DNS_H
#define FAIRLEAD_IO_DNS_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>

/* What the server says of one name. Texts in the arena. */
struct dns_answer {
    bool authoritative, exists;
    const char *address; /* the one A record, or NULL; "several" if there is more than one */
    const char *text;    /* the one TXT record, or NULL */
};

struct dns_server {
    char address[64];
    int port;
    char zone[200];
    char key_name[64], key_secret[128], key_algorithm[32]; /* of TSIG */
};

/* `at` is ADDRESS:PORT; the key file (0600) holds ALGORITHM:NAME:SECRET, as knsupdate -k reads it; NULL: only
 * ask. */
MUST_CHECK int dns_open(struct dns_server *server, const char *at, const char *zone, const char *key_file,
                        struct err *err);
/* Class retry when the server does not answer. */
MUST_CHECK int dns_ask(const struct dns_server *server, const char *host, struct arena *arena,
                       struct dns_answer *ret, struct err *err);

struct dns_change {
    const char *host;
    const char *expect;         /* the TXT record must be exactly this; NULL: there must be none */
    const char *expect_address; /* without `expect`: the A record must be exactly this; NULL: the name must
                                   not be in use */
    const char *address;        /* the A record afterwards; NULL: none */
    const char *text;           /* the TXT record afterwards */
    unsigned ttl;
};

/* 0: the server took it. Class retry: it did not answer, or what it holds is not what was expected (look
 * again). Class park: it refuses this key or zone. */
MUST_CHECK int dns_change(const struct dns_server *server, const struct dns_change *change, struct err *err);

#endif
