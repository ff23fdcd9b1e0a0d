#include "io/http.h"

#include "base/mem.h"
#include "io/tunnel.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One handle per thread keeps connections alive between calls. */
static _Thread_local CURL *thread_handle;

void http_init(void) {
    (void)curl_global_init(CURL_GLOBAL_ALL);
}

static size_t take_body(char *p, size_t size, size_t n, void *arg) {
    str_add(arg, p, size * n);
    return str_is_cut(arg) ? 0 : size * n;
}

/* Lines as they come; what is longer than the ceiling of `answer` ends the call. */
static size_t take_lines(char *p, size_t size, size_t n, void *arg) {
    struct http_call *call = arg;
    str_add(&call->answer, p, size * n);
    if (str_is_cut(&call->answer))
        return 0;
    for (char *end; call->answer.n && (end = memchr(call->answer.s, '\n', call->answer.n));) {
        size_t len = (size_t)(end - call->answer.s) + 1;
        *end = '\0';
        if (len > 1 && end[-1] == '\r')
            end[-1] = '\0';
        if (!call->line(call->arg, call->answer.s)) {
            call->line = NULL;
            return 0;
        }
        memmove(call->answer.s, call->answer.s + len, call->answer.n - len + 1);
        call->answer.n -= len;
    }
    return size * n;
}

static size_t take_piece(char *p, size_t size, size_t n, void *arg) {
    struct http_call *call = arg;
    curl_easy_getinfo(thread_handle, CURLINFO_RESPONSE_CODE, &call->status);
    return call->piece(call->arg, p, size * n) ? size * n : 0;
}

static size_t give_upload(char *p, size_t size, size_t n, void *arg) {
    const struct http_call *call = arg;
    ssize_t got = read(call->upload, p, size * n);
    return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

static size_t take_header(char *p, size_t size, size_t n, void *arg) {
    size_t len = size * n;
    cleanup_free char *line = mem_alloc(len + 1);
    memcpy(line, p, len);
    for (size_t i = 0; i < len && line[i] != ':'; i++)
        line[i] = (char)tolower((unsigned char)line[i]);
    line[strcspn(line, "\r\n")] = '\0';
    str_addf(arg, "%s\n", line);
    return len;
}

const char *http_escape(struct arena *arena, const char *text) {
    char *escaped = curl_easy_escape(NULL, text, (int)strlen(text));
    if (!escaped)
        abort(); /* no memory */
    const char *kept = arena_strdup(arena, escaped);
    curl_free(escaped);
    return kept;
}

static struct curl_slist *header_list(const struct http_call *call) {
    struct curl_slist *list = NULL;
    bool typed = false;
    for (const char *const *h = call->headers; h && *h; h++) {
        list = curl_slist_append(list, *h);
        typed = typed || str_starts(*h, "Content-Type:");
    }
    if (call->body && !typed)
        list = curl_slist_append(list, "Content-Type: application/json");
    if (call->upload && !typed)
        list = curl_slist_append(list, "Content-Type: application/octet-stream");
    return curl_slist_append(list, "Expect:");
}

static CURL *handle_of(const struct http_call *call) {
    if (!thread_handle)
        thread_handle = curl_easy_init();
    if (!thread_handle)
        abort();
    curl_easy_reset(thread_handle);
    curl_easy_setopt(thread_handle, CURLOPT_FRESH_CONNECT, call->fresh ? 1L : 0L);
    curl_easy_setopt(thread_handle, CURLOPT_FORBID_REUSE, call->fresh ? 1L : 0L);
    return thread_handle;
}

static int check_stop(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    const struct http_call *call = arg;
    (void)a, (void)b, (void)c, (void)d;
    return *call->stop;
}

/* How long it may take, in the whole and without a byte, and who else may end it. */
static void set_limits(CURL *curl, struct http_call *call) {
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(call->timeout_us / 1000));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
    if (call->silence_s) {
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)call->silence_s);
    }
    if (call->stop) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, check_stop);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, call);
    }
}

/* Where the answer goes. */
static void set_answer(CURL *curl, struct http_call *call) {
    if (call->line) {
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_lines);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
    } else if (call->piece) {
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_piece);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
    } else {
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &call->answer);
    }
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &call->answer_headers);
}

static void set_body(CURL *curl, struct http_call *call) {
    if (call->body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
    if (!call->upload)
        return;
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_upload);
    curl_easy_setopt(curl, CURLOPT_READDATA, call);
}

static void set_proxy(CURL *curl, const struct http_call *call) {
    const char *user = NULL, *password = NULL, *proxy = call->outward ? tunnel_proxy(&user, &password) : NULL;
    curl_easy_setopt(curl, CURLOPT_PROXY, proxy ? proxy : "");
    if (user) { /* as they stand there: in the address curl would read them in its own way */
        curl_easy_setopt(curl, CURLOPT_PROXYUSERNAME, user);
        curl_easy_setopt(curl, CURLOPT_PROXYPASSWORD, password);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPPROXYTUNNEL, proxy ? 1L : 0L);
}

static void set_tls(CURL *curl, const struct http_call *call) {
    if (call->ca) { /* and no folder of others: Debian's library has one by default */
        curl_easy_setopt(curl, CURLOPT_CAINFO, call->ca);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    if (call->cert) {
        curl_easy_setopt(curl, CURLOPT_SSLCERT, call->cert);
        curl_easy_setopt(curl, CURLOPT_SSLKEY, call->cert);
    }
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, call->unverified ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, call->unverified ? 0L : 2L);
}

int http_run(struct http_call *call, struct err *err) {
    char reason[CURL_ERROR_SIZE] = "", pin[64];
    CURL *curl = handle_of(call);
    struct curl_slist *headers = header_list(call), *pins = NULL;
    curl_easy_setopt(curl, CURLOPT_URL, call->url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    set_limits(curl, call);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    bool by_line = call->line != NULL;
    set_answer(curl, call);
    set_proxy(curl, call);
    set_tls(curl, call);
    set_body(curl, call);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    if (call->unix_socket)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, call->unix_socket);
    if (call->connect_to) {
        (void)snprintf(pin, sizeof pin, "::%s:", call->connect_to);
        pins = curl_slist_append(NULL, pin);
        curl_easy_setopt(curl, CURLOPT_CONNECT_TO, pins);
    }
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &call->status);
    curl_slist_free_all(headers);
    curl_slist_free_all(pins);
    if (code == CURLE_OK || (by_line && !call->line))
        return 0;
    if (str_is_cut(&call->answer))
        return err_set(err, ERR_RETRY, "\"%s\": the answer is larger than %zu bytes", call->url,
                       call->answer.max);
    return err_set(err, ERR_RETRY, "\"%s\": %s", call->url, reason[0] ? reason : curl_easy_strerror(code));
}

void http_release(struct http_call *call) {
    str_release(&call->answer);
    str_release(&call->answer_headers);
}

/* The next line from *line on that is a header of this name: its value, not ended; NULL: none. */
static const char *next_header(const char **line, const char *name, size_t *ret_n) {
    size_t name_n = strlen(name);
    while (**line) {
        const char *at = *line;
        size_t n = strcspn(at, "\n");
        *line += n + (at[n] == '\n');
        if (n > name_n && strncmp(at, name, name_n) == 0 && at[name_n] == ':') {
            *ret_n = n - name_n - 1;
            return at + name_n + 1;
        }
    }
    return NULL;
}

bool http_has_header(const struct http_call *call, const char *name, const char *part) {
    const char *line = str_text(&call->answer_headers), *value;
    size_t n;
    while ((value = next_header(&line, name, &n)))
        if (memmem(value, n, part, strlen(part)))
            return true;
    return false;
}

size_t http_count_header(const struct http_call *call, const char *name, char *value, size_t size) {
    const char *line = str_text(&call->answer_headers), *at;
    size_t n, count = 0;
    while ((at = next_header(&line, name, &n))) {
        for (; n && (*at == ' ' || *at == '\t'); n--)
            at++;
        while (n && (at[n - 1] == ' ' || at[n - 1] == '\t'))
            n--;
        if (count++ == 0)
            (void)snprintf(value, size, "%.*s", (int)n, at);
    }
    return count;
}
