#include "model/claims.h"

#include "base/json.h"
#include "base/str.h"

#include <string.h>

#define SLACK_S 60 /* that clocks may differ by */

/* The host of "SCHEME://HOST[:PORT][/...]", compared whole: "localhost.example" is not this machine. */
bool claims_is_local(const char *url) {
    static const char *const hosts[] = {"127.0.0.1", "localhost", "[::1]"};
    const char *host = strstr(url, "://");
    size_t address = host && host[3] == '[' ? strcspn(host + 3, "]") : 0; /* of IPv6, with its colons */
    size_t n = host ? address + strcspn(host + 3 + address, ":/?#") : 0;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (strlen(hosts[i]) == n && strncasecmp(host + 3, hosts[i], n) == 0)
            return true;
    return false;
}

bool claims_is_address(const char *url) {
    if (strpbrk(url, " @\"\\"))
        return false;
    return str_starts(url, "https://") || (str_starts(url, "http://") && claims_is_local(url));
}

/* "aud" is a text or a list; with more than one of them the token must have been made for us ("azp"). */
static bool is_for(const json_t *claims, const char *client_id) {
    json_t *audience = json_object_get(claims, "aud"), *one;
    const char *party = json_str(claims, "azp");
    bool named = str_eq(json_string_value(audience), client_id);
    size_t i;
    json_array_foreach(audience, i, one) named = named || str_eq(json_string_value(one), client_id);
    if (party ? !str_eq(party, client_id) : json_array_size(audience) > 1)
        return false;
    return named;
}

int claims_judge(const json_t *claims, const struct claims_want *want, int64_t now_us, struct err *err) {
    int64_t now = now_us / 1000000, ends = json_int(claims, "exp", 0), begins = json_int(claims, "iat", now);
    if (!str_eq(json_str(claims, "iss"), want->issuer))
        return err_set(err, ERR_PARK, "the token is of another issuer");
    if (!is_for(claims, want->client_id))
        return err_set(err, ERR_PARK, "the token is for somebody else");
    if (!str_eq(json_str(claims, "nonce"), want->nonce))
        return err_set(err, ERR_PARK, "the token is of another sign-in");
    if (ends + SLACK_S <= now)
        return err_set(err, ERR_PARK, "the token has passed");
    if (begins - SLACK_S > now)
        return err_set(err, ERR_PARK, "the token is of a time to come: do the clocks agree?");
    if (!json_str(claims, "sub"))
        return err_set(err, ERR_PARK, "the token says of nobody");
    return 0;
}
