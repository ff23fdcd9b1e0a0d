/* An HTTP/1.1 server by libmicrohttpd: one epoll thread, connections suspended while somebody else works on
 * the answer. Refused before a handler sees it, and before a body is read: what `admit` refuses, chunked
 * bodies, doubled lengths and addresses that are no text (411, 400, 400), bodies over the limit (413); by
 * libmicrohttpd itself, in its own words: what is no HTTP (400), header blocks over 16 KiB (431). Who is
 * slow, or one of too many, is shown out: httpd_visitors.h. TLS ends in a proxy in front of it. */
#ifndef FAIRLEAD_IO_HTTPD_H
#define FAIRLEAD_IO_HTTPD_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

struct httpd_request {
    const char *method, *path; /* path decoded, without the query */
    const char *body;          /* NUL-terminated */
    size_t body_n;
    struct arena arena;   /* lives as long as the request: handlers may use it */
    const void *admitted; /* what `admit` found out, for whoever answers */
    void *owner;          /* the handler's */
    struct httpd_state *state;
};

/* NULL where missing. Borrowed until the reply. Only inside the handler (on the server's thread). */
const char *httpd_header(struct httpd_request *request, const char *name);
/* The last of several of that name: what the nearest proxy has added. In the request's arena. */
const char *httpd_last_header(struct httpd_request *request, const char *name);
const char *httpd_cookie(struct httpd_request *request, const char *name);
const char *httpd_query(struct httpd_request *request, const char *name);
/* The address from which the request came, as text in its arena. */
const char *httpd_peer(struct httpd_request *request);
/* Each part of the query, decoded; `value` is "" where there is none. */
void httpd_each_query(struct httpd_request *request,
                      void (*each)(void *arg, const char *name, const char *value), void *arg);

struct httpd_reply {
    int status;
    const char *type; /* content type */
    const char *body;
    size_t body_n;
    const char *headers[8][2]; /* name, value; ended by a NULL name */
};

/* Called on the server's thread with the whole request. It must see to it that httpd_answer() is called
 * exactly once for it, now or later, on any thread; the request is gone after that. */
typedef void httpd_handler(void *arg, struct httpd_request *request);

/* What a request is refused with, before its body is read. */
struct httpd_refusal {
    int status;
    const char *code, *sentence; /* as `problem` takes them */
};

/* Called on the server's thread when the headers of a request have come. True: it may go on; *ret_known says
 * whether it has shown who it is. */
typedef bool httpd_admit(void *arg, struct httpd_request *request, bool *ret_known,
                         struct httpd_refusal *ret_refusal);

struct httpd_conf {
    const char *address; /* IPv4 */
    int port;            /* 0: any, see httpd_port() */
    size_t body_max;
    unsigned connections_max, connections_per_address;
    int request_s;      /* for a whole request to come */
    httpd_admit *admit; /* NULL: everybody may, and is known */
    httpd_handler *handler;
    /* The body of a refusal, malloc'd (application/problem+json); NULL: the sentence alone. */
    char *(*problem)(int status, const char *code, const char *sentence);
    void *arg;
};

struct httpd *httpd_start(const struct httpd_conf *conf, struct err *err);
int httpd_port(const struct httpd *httpd);
/* Stops accepting; then waits until every request is answered, and ends. NULL is fine. */
void httpd_stop(struct httpd *httpd);

/* Copies the reply. Safe on any thread. */
void httpd_answer(struct httpd_request *request, const struct httpd_reply *reply);

/* Answers 200 with a stream (text/event-stream) that is written bit by bit. `closed` is called once when the
 * client has gone or httpd_stream_end() was called; the stream must not be used after that. */
struct httpd_stream;
struct httpd_stream *httpd_answer_stream(struct httpd_request *request, void (*closed)(void *arg), void *arg);
/* Queues bytes; false when the client is too slow (64 KiB wait already) or gone. Safe on any thread. */
bool httpd_stream_write(struct httpd_stream *stream, const char *bytes, size_t n);
void httpd_stream_end(struct httpd_stream *stream);

#endif
