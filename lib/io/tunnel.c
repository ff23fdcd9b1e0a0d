#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/tunnel_own.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* librdkafka holds a lock while it connects: whoever asks it something waits as long. */
#define OPEN_US (4 * CLOCK_S)
#define HEAD_MAX 4096

static struct {
    char url[320], host[256], port[6], user[300];
    const char *password;  /* in `user`, behind its end; NULL: none is wanted */
    char credentials[400]; /* a header with its end, or "" */
} proxy;

static struct {
    pthread_mutex_t mutex;
    char text[TUNNEL_PROBLEM_SIZE];
} problem = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void tell(const char *text) {
    pthread_mutex_lock(&problem.mutex);
    (void)snprintf(problem.text, sizeof problem.text, "%s", text);
    pthread_mutex_unlock(&problem.mutex);
}

void tunnel_problem(char out[TUNNEL_PROBLEM_SIZE]) {
    pthread_mutex_lock(&problem.mutex);
    memcpy(out, problem.text, TUNNEL_PROBLEM_SIZE);
    pthread_mutex_unlock(&problem.mutex);
}

const char *tunnel_proxy(const char **ret_user, const char **ret_password) {
    *ret_user = proxy.password ? proxy.user : NULL;
    *ret_password = proxy.password;
    return *proxy.url ? proxy.url : NULL;
}

/* Basic (RFC 7617), as it stands there: USER:PASSWORD. */
static bool read_credentials(const char *text, size_t n) {
    char encoded[300];
    if (!memchr(text, ':', n) || n >= sizeof proxy.user ||
        sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL) > sizeof encoded)
        return false;
    (void)sodium_bin2base64(encoded, sizeof encoded, (const unsigned char *)text, n,
                            sodium_base64_VARIANT_ORIGINAL);
    (void)snprintf(proxy.user, sizeof proxy.user, "%.*s", (int)n, text);
    char *colon = strchr(proxy.user, ':');
    *colon = '\0';
    proxy.password = colon + 1;
    (void)snprintf(proxy.credentials, sizeof proxy.credentials, "Proxy-Authorization: Basic %s\r\n", encoded);
    return true;
}

int tunnel_use(const char *url, struct err *err) {
    const char *at = str_starts(url, "http://") ? url + 7 : NULL, *sign = at ? strrchr(at, '@') : NULL;
    const char *host = sign ? sign + 1 : at, *colon = host ? strrchr(host, ':') : NULL;
    int64_t port;
    memset(&proxy, 0, sizeof proxy);
    if (!*url)
        return 0;
    bool is_good = colon && colon > host && colon - host < (int)sizeof proxy.host &&
                   strlen(url) < sizeof proxy.url && str_to_int(colon + 1, 1, 65535, &port) &&
                   (!sign || read_credentials(at, (size_t)(sign - at)));
    for (const char *p = host; is_good && p < colon; p++)
        is_good = isalnum((unsigned char)*p) || *p == '.' || *p == '-';
    if (!is_good)
        return err_set(err, ERR_PARK,
                       "a proxy is http://[USER:PASSWORD@]HOST:PORT"); /* it may hold a password */
    (void)snprintf(proxy.host, sizeof proxy.host, "%.*s", (int)(colon - host), host);
    (void)snprintf(proxy.port, sizeof proxy.port, "%lld", (long long)port);
    (void)snprintf(proxy.url, sizeof proxy.url, "http://%s:%s", proxy.host, proxy.port);
    return 0;
}

/* ---- a connection of librdkafka's ---- */

/* Whatever it looks up is the proxy: who the broker is, the proxy knows. NULL for all: an answer goes back.
 */
static int resolve(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res,
                   void *arg) {
    (void)arg;
    if (!node && !service) {
        freeaddrinfo(*res);
        return 0;
    }
    return getaddrinfo(proxy.host, proxy.port, hints, res);
}

/* An errno where it does not become ready in time. */
static int wait_for(int fd, short events, int64_t until) {
    struct pollfd one = {.fd = fd, .events = events};
    int64_t left_us = until - clock_mono_us();
    int n = left_us > 0 ? poll(&one, 1, (int)(left_us / 1000) + 1) : 0;
    return n > 0 ? 0 : n < 0 && errno != EINTR ? errno : ETIMEDOUT;
}

static int reach_proxy(int fd, const struct sockaddr *to, int to_n, int64_t until) {
    int rc = 0;
    socklen_t n = sizeof rc;
    if (connect(fd, to, (socklen_t)to_n) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    int waited = wait_for(fd, POLLOUT, until);
    return waited ? waited : getsockopt(fd, SOL_SOCKET, SO_ERROR, &rc, &n) < 0 ? errno : rc;
}

static int send_all(int fd, const char *text, int64_t until) {
    size_t n = strlen(text);
    while (n) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return errno;
        if (sent > 0) {
            text += sent;
            n -= (size_t)sent;
        } else {
            int rc = wait_for(fd, POLLOUT, until);
            if (rc)
                return rc;
        }
    }
    return 0;
}

/* Byte by byte: what comes behind the head is the broker's, and librdkafka's to read. */
static int read_head(int fd, char head[HEAD_MAX], int64_t until) {
    size_t n = 0;
    while (n < HEAD_MAX - 1) {
        ssize_t got = recv(fd, head + n, 1, 0);
        if (got == 0)
            return ECONNRESET;
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return errno;
        if (got < 0) {
            int rc = wait_for(fd, POLLIN, until);
            if (rc)
                return rc;
            continue;
        }
        head[++n] = '\0';
        if (n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0)
            return 0;
    }
    return EMSGSIZE;
}

static int open_tunnel(int fd, const struct sockaddr *to, int to_n, const char *broker, char *said,
                       size_t said_n) {
    char head[HEAD_MAX] = "";
    int64_t until = clock_mono_us() + OPEN_US;
    cleanup_str struct str ask = STR_INIT(2048);
    str_addf(&ask, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", broker, broker, proxy.credentials);
    int rc = reach_proxy(fd, to, to_n, until);
    if (rc == 0)
        rc = send_all(fd, str_text(&ask), until);
    if (rc == 0)
        rc = read_head(fd, head, until);
    if (rc) {
        (void)snprintf(said, said_n, "the proxy %s:%s: %s", proxy.host, proxy.port, strerror(rc));
        return rc;
    }
    head[strcspn(head, "\r\n")] = '\0';
    if (str_starts(head, "HTTP/1.") && strlen(head) > 9 && head[9] == '2')
        return 0;
    (void)str_make_plain(head);
    (void)snprintf(said, said_n, "the proxy %s:%s answers to CONNECT %.60s: %.60s", proxy.host, proxy.port,
                   broker, head);
    return ECONNREFUSED;
}

/* The socket is one that does not block; 0, or an errno. */
static int connect_by(int fd, const struct sockaddr *to, int to_n, const char *broker, void *arg) {
    char said[TUNNEL_PROBLEM_SIZE] = "";
    (void)arg;
    int rc = open_tunnel(fd, to, to_n, broker, said, sizeof said);
    tell(said);
    return rc;
}

void tunnel_set(rd_kafka_conf_t *conf) {
    if (!*proxy.host)
        return;
    rd_kafka_conf_set_resolve_cb(conf, resolve);
    rd_kafka_conf_set_connect_cb(conf, connect_by);
}
