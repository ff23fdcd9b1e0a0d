/* HTTP out, by libcurl: one request, an answer with a ceiling, a time limit, no redirects. */
#ifndef FAIRLEAD_IO_HTTP_H
#define FAIRLEAD_IO_HTTP_H

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stdint.h>

struct http_call {
    const char *method, *url;
    const char *unix_socket;    /* or NULL */
    const char *ca;             /* of https: file of the authority (PEM) that counts; NULL: the machine's */
    bool unverified;            /* of https: whoever answers; what they say must prove itself */
    const char *cert;           /* of https: file of the key and chain (PEM) that we show; or NULL */
    const char *connect_to;     /* IPv4 address that the URL's host is pinned to, or NULL */
    const char *const *headers; /* "Name: value", NULL-ended, or NULL */
    const char *body;           /* JSON, where no header says otherwise; or NULL */
    int64_t timeout_us;         /* of the whole; 0: none */
    int64_t silence_s;          /* without a byte; 0: any */
    const atomic_int *stop;     /* ends it when it becomes non-zero; or NULL */
    bool fresh;                 /* a connection of its own */
    bool outward;               /* by the program's proxy, where it has one (io/tunnel.h) */
    /* When set, called for every line of the answer as it comes, without its end; `answer` stays empty.
     * False: enough, the call ends well. */
    bool (*line)(void *arg, const char *line);
    /* When set, called for every piece of the answer as it comes, with `status` and `answer_headers` set.
     * False: it cannot be taken, the call fails. Not with `line`. */
    bool (*piece)(void *arg, const void *p, size_t n);
    void *arg;
    int upload; /* a body of unknown length (chunked): descriptor that it is read from to its end; 0: none */
    /* answer */
    long status;
    struct str answer;         /* set its ceiling before; release it after */
    struct str answer_headers; /* "name: value\n" lines, names in lower case */
};

#define HTTP_CALL_INIT(answer_max)                                                                           \
    { .timeout_us = 30000000, .answer = STR_INIT(answer_max), .answer_headers = STR_INIT(32768) }

/* As a value in a query or a form; in the arena. */
const char *http_escape(struct arena *arena, const char *text);
void http_init(void); /* once per program */
/* 0 when there was an answer, whatever its status. Class retry. */
MUST_CHECK int http_run(struct http_call *call, struct err *err);
void http_release(struct http_call *call);
/* True when a header of that name holds `part` (both as given; the name in lower case). */
bool http_has_header(const struct http_call *call, const char *name, const char *part);
/* How many headers of that name there are (name in lower case); the value of the first, without blanks around
 * it and cut to its buffer, where there is one. */
size_t http_count_header(const struct http_call *call, const char *name, char *value, size_t size);

#endif
