/* Who may go on, before the body of a request is read: its route, who asks, whether the one is open to the
 * other. */
#include "base/str.h"
#include "coordinator/api/api.h"
#include "io/token.h"

#include <string.h>

/* The row that a request is for; NULL: *ret_refusal says why there is none. */
static const struct route_row *find(const struct httpd_request *request, struct httpd_refusal *ret_refusal) {
    const char *rest;
    size_t n;
    *ret_refusal = (struct httpd_refusal){404, "no_route", "There is nothing at this address."};
    for (int i = 0; i < ROUTE_COUNT; i++) {
        bool here = route_matches(&route_rows[i], request->path, &rest, &n);
        if (here && str_eq(route_rows[i].method, request->method))
            return &route_rows[i];
        if (here)
            *ret_refusal = (struct httpd_refusal){405, "bad_method",
                                                  "This cannot be done with what stands at this address."};
    }
    return NULL;
}

static void add_part(void *arg, const char *name, const char *value) {
    (void)json_object_set_new(arg, name, json_string(value)); /* what is no text was refused before */
}

/* What a query says is known to its route: a filter that is mistyped would find everything. */
static bool fits(const struct route_row *route, struct httpd_request *request,
                 struct httpd_refusal *ret_refusal) {
    static const struct schema_field none[] = {{0}};
    struct err err = {0};
    cleanup_json json_t *query = json_object();
    httpd_each_query(request, add_part, query);
    if (json_object_size(query) == 0 ||
        schema_check(query, route->query ? route->query : none, SCHEMA_TEXT, &err) == 0)
        return true;
    *ret_refusal =
        (struct httpd_refusal){400, "bad_query", arena_printf(&request->arena, "In the query, %s", err.text)};
    return false;
}

static const struct httpd_refusal
    no_token = {401, "no_token", "Send the token: Authorization: Bearer TOKEN."},
    not_ready = {503, "no_database", "The database cannot be reached just now. Nothing was done; try again."};

/* The token of a header, else of the cookie; NULL: neither. */
static const char *token_of(struct httpd_request *request, bool *ret_by_cookie) {
    const char *header = httpd_header(request, "Authorization");
    bool bears = header && strncasecmp(header, "Bearer ", 7) == 0;
    *ret_by_cookie = !bears;
    return bears ? header + 7 : httpd_cookie(request, SESSION_COOKIE);
}

/* A browser sends the cookie with whatever a page of another origin makes it send: what changes something
 * must come from our own, and say what only our own can know. */
static bool is_meant(struct api *api, struct httpd_request *request, const struct principal *principal) {
    const char *origin = httpd_header(request, "Origin"), *site = httpd_header(request, "Sec-Fetch-Site");
    const char *said = httpd_header(request, "X-CSRF-Token");
    if (!principal->csrf || str_eq(request->method, "GET"))
        return true;
    return (!origin || str_eq(origin, api->public_address)) && (!site || str_eq(site, "same-origin")) &&
           said && strlen(said) == strlen(principal->csrf) && sign_equal(said, principal->csrf, strlen(said));
}

/* The principal of the token that came with it; NULL: *ret_refusal says why there is none. */
static struct principal *sign_in(struct api *api, struct httpd_request *request,
                                 struct httpd_refusal *ret_refusal) {
    struct principal *principal = NULL;
    bool by_cookie;
    const char *token = token_of(request, &by_cookie);
    if (!token) {
        *ret_refusal = no_token;
        return NULL;
    }
    switch (access_find(api->access, token, by_cookie, &request->arena, &principal)) {
    case ACCESS_KNOWN:
        if (is_meant(api, request, principal))
            return principal;
        *ret_refusal = (struct httpd_refusal){
            403, "bad_csrf", "A change by cookie comes from our own page, with X-CSRF-Token."};
        return NULL;
    case ACCESS_NOT_READY:
        *ret_refusal = not_ready;
        return NULL;
    default:
        break;
    }
    bool is_cut = str_starts(token, TOKEN_PREFIX) && !token_is_whole(token);
    *ret_refusal = (struct httpd_refusal){
        401, "bad_token",
        is_cut ? "This token is not whole: was it cut, or mistyped?"
               : "This token is not known here: was it revoked, or has its time passed?"};
    return NULL;
}

/* Why not, and who could. */
static void explain(struct api *api, const struct route_row *route, const struct principal *principal,
                    enum route_verdict verdict, struct arena *arena, struct httpd_refusal *ret) {
    if (verdict == ROUTE_TOO_FAR)
        *ret = (struct httpd_refusal){
            403, "too_far",
            arena_printf(
                arena,
                "\"%s\" reaches only a part, and this concerns all of it: an operator without a limit can.",
                principal->name)};
    else
        *ret = (struct httpd_refusal){
            403, "no_scope",
            arena_printf(arena,
                         "This takes the scope %s, which this token of \"%s\" lacks. Roles that have it: %s.",
                         scope_rows[route->scope].name, principal->name,
                         access_roles_with(api->access, route->scope, arena))};
}

/* A proxy on this machine says for whom it asks; of others it is believed that they ask for themselves. */
static const char *address_of(struct httpd_request *request) {
    const char *peer = httpd_peer(request), *forwarded = httpd_last_header(request, "X-Forwarded-For");
    const char *last = forwarded ? strrchr(forwarded, ',') : NULL;
    last = last ? last + 1 + strspn(last + 1, " ") : forwarded;
    return last && str_starts(peer, "127.") && strlen(last) < 46 ? arena_strdup(&request->arena, last) : peer;
}

bool api_admit(void *arg, struct httpd_request *request, bool *ret_known, struct httpd_refusal *ret_refusal) {
    const struct route_row *route = find(request, ret_refusal);
    struct principal *principal = NULL;
    if (!route)
        return false;
    if (route->scope != SCOPE_ANYBODY && !(principal = sign_in(arg, request, ret_refusal)))
        return false;
    *ret_known = principal != NULL;
    enum route_verdict verdict = route_judge(route, principal);
    if (verdict != ROUTE_OPEN) {
        explain(arg, route, principal, verdict, &request->arena, ret_refusal);
        return false;
    }
    struct admitted *admitted = arena_new(&request->arena, struct admitted);
    *admitted = (struct admitted){&api_handlers[route - route_rows], principal, address_of(request)};
    request->admitted = admitted;
    return fits(route, request, ret_refusal);
}
