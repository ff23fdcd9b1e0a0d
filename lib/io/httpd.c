#include "io/httpd.h"

#include "base/str.h"
#include "io/httpd_visitors.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STREAM_BYTES_MAX 65536
#define IDLE_S 30u /* of a connection on which nothing moves */

struct httpd {
    struct httpd_conf conf;
    struct MHD_Daemon *daemon;
    struct visitors *visitors;
    atomic_int open; /* requests from their handler on until the answer has gone out, and streams */
    atomic_bool stopping;
    pthread_mutex_t mutex;
    struct httpd_stream *streams;
};

/* One connection's present request. Lives from its first header to MHD's completion call. */
struct httpd_state {
    struct httpd_request request;
    struct httpd *httpd;
    struct MHD_Connection *connection;
    struct str body;
    struct MHD_Response *response;
    int status;
    atomic_int phase;
    struct httpd_stream *stream;
};

enum { PHASE_BODY, PHASE_HANDLER, PHASE_ANSWERED, PHASE_QUEUED, PHASE_REFUSED };

struct httpd_stream {
    struct httpd *httpd;
    struct MHD_Connection *connection;
    pthread_mutex_t mutex;
    struct str out;
    size_t sent;
    bool suspended, ended, gone;
    void (*closed)(void *arg);
    void *arg;
    struct httpd_stream *next;
};

const char *httpd_header(struct httpd_request *request, const char *name) {
    return MHD_lookup_connection_value(request->state->connection, MHD_HEADER_KIND, name);
}

struct last_header {
    const char *name, *value;
};

static enum MHD_Result keep_last(void *arg, enum MHD_ValueKind kind, const char *name, const char *value) {
    struct last_header *last = arg;
    (void)kind;
    if (strcasecmp(name, last->name) == 0)
        last->value = value;
    return MHD_YES;
}

const char *httpd_last_header(struct httpd_request *request, const char *name) {
    struct last_header last = {name, NULL};
    (void)MHD_get_connection_values(request->state->connection, MHD_HEADER_KIND, keep_last, &last);
    return arena_strdup(&request->arena, last.value);
}

const char *httpd_cookie(struct httpd_request *request, const char *name) {
    return MHD_lookup_connection_value(request->state->connection, MHD_COOKIE_KIND, name);
}

const char *httpd_query(struct httpd_request *request, const char *name) {
    return MHD_lookup_connection_value(request->state->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *httpd_peer(struct httpd_request *request) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->state->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char text[INET_ADDRSTRLEN] = "";
    if (info && info->client_addr->sa_family == AF_INET)
        (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr,
                        text, sizeof text);
    return arena_strdup(&request->arena, text);
}

struct query_reader {
    void (*each)(void *arg, const char *name, const char *value);
    void *arg;
};

static enum MHD_Result read_query(void *arg, enum MHD_ValueKind kind, const char *name, const char *value) {
    const struct query_reader *reader = arg;
    (void)kind;
    reader->each(reader->arg, name, value ? value : "");
    return MHD_YES;
}

void httpd_each_query(struct httpd_request *request,
                      void (*each)(void *arg, const char *name, const char *value), void *arg) {
    struct query_reader reader = {each, arg};
    (void)MHD_get_connection_values(request->state->connection, MHD_GET_ARGUMENT_KIND, read_query, &reader);
}

/* Without reading a body that may still come: the connection ends with the answer. */
static enum MHD_Result refuse(struct httpd *httpd, struct MHD_Connection *connection,
                              const struct httpd_refusal *refusal) {
    char *body = httpd->conf.problem ? httpd->conf.problem(refusal->status, refusal->code, refusal->sentence)
                                     : mem_strdup(refusal->sentence);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_FREE);
    (void)MHD_add_response_header(response, "Content-Type", "application/problem+json");
    (void)MHD_add_response_header(response, "Connection", "close");
    if (refusal->status == 401)
        (void)MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    enum MHD_Result rc = MHD_queue_response(connection, (unsigned)refusal->status, response);
    MHD_destroy_response(response);
    return rc;
}

struct header_count {
    int lengths, encodings;
    bool nonsense; /* a query that is not text */
};

static enum MHD_Result count_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value) {
    struct header_count *count = arg;
    (void)kind, (void)value;
    count->lengths += strcasecmp(name, "Content-Length") == 0;
    count->encodings += strcasecmp(name, "Transfer-Encoding") == 0;
    return MHD_YES;
}

/* What is longer than its text holds a NUL. */
static enum MHD_Result check_query(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_n,
                                   const char *value, size_t value_n) {
    struct header_count *count = arg;
    (void)kind;
    bool sound = str_is_text(name) && strlen(name) == name_n;
    sound = sound && (!value || (str_is_text(value) && strlen(value) == value_n));
    count->nonsense = count->nonsense || !sound;
    return MHD_YES;
}

/* Smuggling: libmicrohttpd takes two lengths, and a length beside chunked; both are refused here. True:
 * nothing is wrong. */
static bool is_well_formed(struct httpd *httpd, struct MHD_Connection *connection, const char *url,
                           struct httpd_refusal *ret) {
    struct header_count count = {0};
    int64_t n = 0;
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, count_header, &count);
    (void)MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, check_query, &count);
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    bool bad_length = count.lengths > 1 || (length && !str_to_int(length, 0, INT64_MAX, &n));
    if (count.encodings)
        *ret = (struct httpd_refusal){411, "length_required", "Send the body with a Content-Length."};
    else if (bad_length)
        *ret = (struct httpd_refusal){400, "bad_length", "The Content-Length cannot be read."};
    else if (!str_is_text(url) || count.nonsense)
        *ret = (struct httpd_refusal){400, "bad_address", "The address holds bytes that are no text."};
    else if (n > (int64_t)httpd->conf.body_max)
        *ret = (struct httpd_refusal){413, "too_large", "The body is too large."};
    else
        return true;
    return false;
}

static struct visitor *visitor_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static struct httpd_state *begin_request(struct httpd *httpd, struct MHD_Connection *connection,
                                         const char *url, const char *method) {
    struct httpd_state *state = mem_alloc(sizeof *state);
    state->httpd = httpd;
    state->connection = connection;
    state->body = STR_INIT(httpd->conf.body_max);
    state->request.state = state;
    state->request.method = arena_strdup(&state->request.arena, method);
    state->request.path = arena_strdup(&state->request.arena, url);
    return state;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data, size_t *data_n,
                              void **con_cls) {
    struct httpd *httpd = arg;
    struct httpd_state *state = *con_cls;
    (void)version;
    if (!state) {
        struct httpd_refusal refusal;
        bool known = true;
        if (!is_well_formed(httpd, connection, url, &refusal))
            return refuse(httpd, connection, &refusal);
        *con_cls = state = begin_request(httpd, connection, url, method);
        if (httpd->conf.admit && !httpd->conf.admit(httpd->conf.arg, &state->request, &known, &refusal)) {
            atomic_store(&state->phase, PHASE_REFUSED);
            return refuse(httpd, connection, &refusal);
        }
        if (known)
            visitor_is_known(httpd->visitors, visitor_of(connection));
        return MHD_YES;
    }
    if (*data_n) {
        str_add(&state->body, data, *data_n);
        *data_n = 0;
        return str_is_cut(&state->body) ? MHD_NO : MHD_YES;
    }
    switch (atomic_load(&state->phase)) {
    case PHASE_BODY:
        state->request.body = str_text(&state->body);
        state->request.body_n = state->body.n;
        atomic_store(&state->phase, PHASE_HANDLER);
        atomic_fetch_add(&httpd->open, 1);
        visitor_has_asked(httpd->visitors, visitor_of(connection));
        MHD_suspend_connection(connection); /* before anybody can answer */
        httpd->conf.handler(httpd->conf.arg, &state->request);
        return MHD_YES;
    case PHASE_ANSWERED: {
        atomic_store(&state->phase, PHASE_QUEUED);
        enum MHD_Result rc = MHD_queue_response(connection, (unsigned)state->status, state->response);
        MHD_destroy_response(state->response);
        state->response = NULL;
        return rc;
    }
    default:
        return MHD_YES;
    }
}

static void completed(void *arg, struct MHD_Connection *connection, void **con_cls,
                      enum MHD_RequestTerminationCode code) {
    struct httpd *httpd = arg;
    struct httpd_state *state = *con_cls;
    (void)code;
    visitor_is_idle(httpd->visitors, visitor_of(connection));
    if (!state)
        return;
    int phase = atomic_load(&state->phase);
    if (phase != PHASE_BODY &&
        phase != PHASE_REFUSED) /* its answer has gone out, or nobody wants it any more */
        atomic_fetch_sub(&state->httpd->open, 1);
    if (state->response)
        MHD_destroy_response(state->response);
    str_release(&state->body);
    arena_release(&state->request.arena);
    free(state);
    *con_cls = NULL;
}

static void finish_answer(struct httpd_state *state) {
    struct MHD_Connection *connection = state->connection;
    atomic_store(&state->phase, PHASE_ANSWERED);
    MHD_resume_connection(connection); /* the state may be gone from here on */
}

void httpd_answer(struct httpd_request *request, const struct httpd_reply *reply) {
    struct httpd_state *state = request->state;
    state->status = reply->status;
    state->response = MHD_create_response_from_buffer(
        reply->body_n, (void *)(uintptr_t)(reply->body ? reply->body : ""), MHD_RESPMEM_MUST_COPY);
    if (reply->type)
        (void)MHD_add_response_header(state->response, "Content-Type", reply->type);
    for (int i = 0; i < 8 && reply->headers[i][0]; i++)
        if (reply->headers[i][1])
            (void)MHD_add_response_header(state->response, reply->headers[i][0], reply->headers[i][1]);
    if (atomic_load(&state->httpd->stopping))
        (void)MHD_add_response_header(state->response, "Connection", "close");
    finish_answer(state);
}

/* ---- streams ---- */

static ssize_t read_stream(void *arg, uint64_t at, char *buf, size_t max) {
    struct httpd_stream *stream = arg;
    ssize_t n = 0;
    (void)at;
    pthread_mutex_lock(&stream->mutex);
    size_t left = stream->out.n - stream->sent;
    if (left) {
        n = (ssize_t)(left < max ? left : max);
        memcpy(buf, stream->out.s + stream->sent, (size_t)n);
        stream->sent += (size_t)n;
        if (stream->sent == stream->out.n) {
            stream->sent = 0;
            str_release(&stream->out);
        }
    } else if (stream->ended) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        stream->suspended = true;
        MHD_suspend_connection(stream->connection);
    }
    pthread_mutex_unlock(&stream->mutex);
    return n;
}

static void free_stream(void *arg) {
    struct httpd_stream *stream = arg;
    struct httpd *httpd = stream->httpd;
    pthread_mutex_lock(&httpd->mutex);
    struct httpd_stream **at = &httpd->streams;
    while (*at && *at != stream)
        at = &(*at)->next;
    if (*at)
        *at = stream->next;
    pthread_mutex_unlock(&httpd->mutex);
    stream->closed(stream->arg); /* after this nobody else holds it */
    str_release(&stream->out);
    pthread_mutex_destroy(&stream->mutex);
    free(stream);
    atomic_fetch_sub(&httpd->open, 1);
}

struct httpd_stream *httpd_answer_stream(struct httpd_request *request, void (*closed)(void *arg),
                                         void *arg) {
    struct httpd_state *state = request->state;
    struct httpd *httpd = state->httpd;
    struct httpd_stream *stream = mem_alloc(sizeof *stream);
    stream->httpd = httpd;
    stream->connection = state->connection;
    stream->out = STR_INIT(STREAM_BYTES_MAX);
    stream->closed = closed;
    stream->arg = arg;
    pthread_mutex_init(&stream->mutex, NULL);
    pthread_mutex_lock(&httpd->mutex);
    stream->next = httpd->streams;
    httpd->streams = stream;
    pthread_mutex_unlock(&httpd->mutex);
    atomic_fetch_add(&httpd->open, 1);
    state->status = 200;
    state->response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_stream, stream, free_stream);
    (void)MHD_add_response_header(state->response, "Content-Type", "text/event-stream");
    (void)MHD_add_response_header(state->response, "Cache-Control", "no-store");
    finish_answer(state);
    return stream;
}

static void resume_stream(struct httpd_stream *stream) {
    if (!stream->suspended)
        return;
    stream->suspended = false;
    MHD_resume_connection(stream->connection);
}

bool httpd_stream_write(struct httpd_stream *stream, const char *bytes, size_t n) {
    pthread_mutex_lock(&stream->mutex);
    str_add(&stream->out, bytes, n);
    bool ok = !str_is_cut(&stream->out) && !stream->ended;
    if (!ok)
        stream->ended = true; /* too slow: it may come back and ask from where it stopped */
    resume_stream(stream);
    pthread_mutex_unlock(&stream->mutex);
    return ok;
}

void httpd_stream_end(struct httpd_stream *stream) {
    pthread_mutex_lock(&stream->mutex);
    stream->ended = true;
    resume_stream(stream);
    pthread_mutex_unlock(&stream->mutex);
}

/* ---- life ---- */

static enum MHD_Result may_connect(void *arg, const struct sockaddr *from, socklen_t size) {
    const struct httpd *httpd = arg;
    (void)size;
    return visitors_may_come(httpd->visitors, from) ? MHD_YES : MHD_NO;
}

static void connected(void *arg, struct MHD_Connection *connection, void **socket_context,
                      enum MHD_ConnectionNotificationCode code) {
    struct httpd *httpd = arg;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        visitor_remove(httpd->visitors, *socket_context);
        return;
    }
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    *socket_context =
        visitor_add(httpd->visitors, fd,
                    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
}

static void *first_line_came(void *arg, const char *uri, struct MHD_Connection *connection) {
    const struct httpd *httpd = arg;
    (void)uri;
    visitor_begins(httpd->visitors, visitor_of(connection));
    return NULL; /* what handle() finds as the request's state */
}

struct httpd *httpd_start(const struct httpd_conf *conf, struct err *err) {
    struct httpd *httpd = mem_alloc(sizeof *httpd);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)conf->port)};
    httpd->conf = *conf;
    pthread_mutex_init(&httpd->mutex, NULL);
    struct visitors_conf visitors = {.places = conf->connections_max,
                                     .per_address = conf->connections_per_address,
                                     .request_s = conf->request_s};
    if (inet_pton(AF_INET, conf->address, &at.sin_addr) == 1) {
        visitors.exempt = at.sin_addr;
        httpd->visitors = visitors_start(&visitors);
    }
    if (httpd->visitors)
        httpd->daemon = MHD_start_daemon(
            MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, may_connect, httpd,
            handle, httpd, MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_CONNECTION_LIMIT, conf->connections_max,
            MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32768,
            MHD_OPTION_NOTIFY_COMPLETED, completed, httpd, MHD_OPTION_NOTIFY_CONNECTION, connected, httpd,
            MHD_OPTION_URI_LOG_CALLBACK, first_line_came, httpd, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
            MHD_OPTION_END);
    if (httpd->daemon)
        return httpd;
    (void)err_errno(err, ERR_PARK, "cannot listen on %s port %d", conf->address, conf->port);
    visitors_stop(httpd->visitors);
    pthread_mutex_destroy(&httpd->mutex);
    free(httpd);
    return NULL;
}

int httpd_port(const struct httpd *httpd) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(httpd->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

void httpd_stop(struct httpd *httpd) {
    if (!httpd)
        return;
    atomic_store(&httpd->stopping, true);
    MHD_socket fd = MHD_quiesce_daemon(httpd->daemon);
    if (fd != MHD_INVALID_SOCKET)
        (void)close(fd);
    pthread_mutex_lock(&httpd->mutex);
    for (struct httpd_stream *s = httpd->streams; s; s = s->next)
        httpd_stream_end(s);
    pthread_mutex_unlock(&httpd->mutex);
    /* MHD_stop_daemon aborts while a connection is suspended: every request must have its answer first. */
    for (int i = 0; i < 1500 && atomic_load(&httpd->open) > 0; i++)
        (void)usleep(10000);
    MHD_stop_daemon(httpd->daemon);
    visitors_stop(httpd->visitors);
    pthread_mutex_destroy(&httpd->mutex);
    free(httpd);
}
