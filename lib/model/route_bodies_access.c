/* What routes take, of who may ask: members, tokens, passwords, sessions, identity providers. */
#include "base/str.h"
#include "model/claims.h"
#include "model/names.h"
#include "model/principal.h"
#include "model/route_fields.h"

#include <stdio.h>
#include <string.h>

/* A member is named as its tokens and the audit name it. */
static bool is_member(const char *s) {
    const char *slash = strchr(s, '/');
    char customer[24] = "";
    if (!slash)
        return name_is_valid(s);
    (void)snprintf(customer, sizeof customer, "%.*s", (int)(slash - s), s);
    return name_is_valid(customer) && name_is_valid(slash + 1);
}

static bool is_scope(const char *s) {
    return scope_bits(s) != 0;
}

static const char *const member_kinds[] = {"person", "program", NULL};
#define SCOPES_FIELD(what)                                                                                   \
    {                                                                                                        \
        .name = "scopes", .type = SCHEMA_LIST, .min = 1, .max = SCOPE_COUNT, .check = is_scope,              \
        .rule = "scopes, as GET /v1/me lists them", .help = what                                             \
    }
#define DAYS_FIELD                                                                                           \
    {                                                                                                        \
        .name = "days", .type = SCHEMA_INT, .min = 1, .max = 3650, .otherwise = "365",                       \
        .help = "until it ends by itself"                                                                    \
    }

const struct schema_field member_body[] = {
    NAME_FIELD("of the member, within its customer"),
    TITLE_FIELD,
    {.name = "kind",
     .type = SCHEMA_STRING,
     .otherwise = "person",
     .values = member_kinds,
     .help = "who it is"},
    KEY_FIELD("role", "what it may"),
    OPTIONAL_KEY_FIELD("customer", "whose it is; none: the provider's"),
    OPTIONAL_KEY_FIELD("tenant", "of that customer: it reaches nothing else"),
    OPTIONAL_KEY_FIELD("plane", "of one of the provider's: it reaches nothing else"),
    {0},
};
#define MEMBER_FIELD                                                                                         \
    {                                                                                                        \
        .name = "member", .type = SCHEMA_STRING, .required = true, .min = 1, .max = 41, .check = is_member,  \
        .rule = "NAME, or CUSTOMER/NAME", .help = "who"                                                      \
    }
#define PASSWORD_FIELD(field, low, what)                                                                     \
    { .name = (field), .type = SCHEMA_STRING, .required = true, .min = (low), .max = 200, .help = what }
static bool is_code(const char *s) {
    return strlen(s) == 6 && strspn(s, "0123456789") == 6;
}
#define CODE_FIELD(must)                                                                                     \
    {                                                                                                        \
        .name = "code", .type = SCHEMA_STRING, .required = (must), .min = 6, .max = 6, .check = is_code,     \
        .rule = "six digits", .help = "of the authenticator"                                                 \
    }
static const char *const session_kinds[] = {"cookie", "token", NULL};

const struct schema_field code_body[] = {
    MEMBER_FIELD,
    {.name = "code",
     .type = SCHEMA_STRING,
     .required = true,
     .min = 32,
     .max = 32,
     .help = "as it was given"},
    PASSWORD_FIELD("password", 12, "the new one; longer is better than stranger"),
    {0},
};
const struct schema_field session_body[] = {
    MEMBER_FIELD,
    PASSWORD_FIELD("password", 1, "of that person"),
    CODE_FIELD(false),
    {.name = "kind",
     .type = SCHEMA_STRING,
     .otherwise = "cookie",
     .values = session_kinds,
     .help = "token: for programs"},
    {0},
};
const struct schema_field password_body[] = {
    PASSWORD_FIELD("old", 1, "the one until now"),
    PASSWORD_FIELD("password", 12, "the new one; longer is better than stranger"),
    {0},
};
const struct schema_field old_password_body[] = {PASSWORD_FIELD("password", 1, "one's own, once more"), {0}};
static bool is_issuer(const char *s) {
    return claims_is_address(s) && !strpbrk(s, "?#");
}
const struct schema_field identity_provider_body[] = {
    NAME_FIELD("of the identity provider, within its customer"),
    TITLE_FIELD,
    OPTIONAL_KEY_FIELD("customer", "whose members sign in there; none: the provider's"),
    {.name = "issuer",
     .type = SCHEMA_STRING,
     .required = true,
     .min = 8,
     .max = 300,
     .check = is_issuer,
     .rule = "an https address (http on this machine), as the provider itself writes it",
     .help = "OpenID Connect"},
    {.name = "client_id",
     .type = SCHEMA_STRING,
     .required = true,
     .min = 1,
     .max = 200,
     .help = "ours, there"},
    {.name = "client_secret",
     .type = SCHEMA_STRING,
     .required = true,
     .min = 1,
     .max = 500,
     .help = "of that; stored sealed"},
    {.name = "claim",
     .type = SCHEMA_STRING,
     .otherwise = "preferred_username",
     .min = 1,
     .max = 100,
     .help = "that holds a member's name, the first time that a person comes"},
    {0},
};
const struct schema_field factor_body[] = {CODE_FIELD(true), {0}};
const struct schema_field role_body[] = {KEY_FIELD("role", "what it may from now on"), {0}};
const struct schema_field token_body[] = {
    {.name = "name", .type = SCHEMA_STRING, .required = true, .min = 1, .max = 60, .help = "what it is for"},
    {.name = "member",
     .type = SCHEMA_STRING,
     .min = 1,
     .max = 41,
     .check = is_member,
     .rule = "NAME, or CUSTOMER/NAME",
     .help = "whose it will be; none: one's own"},
    SCOPES_FIELD("what it may, of what its member may; none: all of it"),
    DAYS_FIELD,
    {0},
};
const struct schema_field rotate_body[] = {
    {.name = "overlap_minutes",
     .type = SCHEMA_INT,
     .min = 0,
     .max = 43200,
     .otherwise = "60",
     .help = "for which the one before goes on"},
    DAYS_FIELD,
    {0},
};

const struct schema_field callback_query[] = {
    {.name = "code", .type = SCHEMA_STRING, .max = 4096, .help = "of the identity provider"},
    {.name = "state", .type = SCHEMA_STRING, .max = 200, .help = "ours"},
    {.name = "error", .type = SCHEMA_STRING, .max = 200, .help = "why there is no code"},
    {.name = "error_description", .type = SCHEMA_STRING, .max = 1000, .help = "the same in words"},
    {.name = "session_state", .type = SCHEMA_STRING, .max = 500, .help = "not read"},
    {.name = "iss", .type = SCHEMA_STRING, .max = 500, .help = "the issuer, where it says so (RFC 9207)"},
    {.name = "scope", .type = SCHEMA_STRING, .max = 500, .help = "not read"},
    {0},
};
