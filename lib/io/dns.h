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
    const char *address;  /* the one A record, or NULL; "several" if there is more than one */
    const char *text;     /* the one TXT record, or NULL */
    const char *alias;    /* of a name that is a CNAME: where it leads; NULL: it is none */
    const char *zone_cut; /* the name is below this one, whose zone other servers hold; NULL: it is ours */
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
/* What a wildcard of the zone makes up for a name that is not there (RFC 4592) is left out. Class retry when
 * the server does not answer. */
MUST_CHECK int dns_ask(const struct dns_server *server, const char *host, struct arena *arena,
                       struct dns_answer *ret, struct err *err);

struct dns_change {
    const char *host;
    const char *expect;         /* the TXT record must be exactly this; NULL: there must be none */
    const char *expect_address; /* without `expect`: the A record must be exactly this; NULL: the name must
                                   not be in use */
    const char *address;        /* the A record afterwards; NULL: none */
    const char *text;           /* the TXT record afterwards; NULL: none */
    unsigned ttl;
};

#define DNS_IN_USE "YXDOMAIN" /* err.code: the name was to be unused, and holds something */

/* 0: the server took it, and signed that it did. Class retry: it did not answer, or what it holds is not what
 * was expected (look again), or it takes no updates just now, or the clocks are apart. Class park: it does
 * not know this key, or the zone is not its. */
MUST_CHECK int dns_change(const struct dns_server *server, const struct dns_change *change, struct err *err);

#endif
