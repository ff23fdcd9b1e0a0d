/* What routes take: bodies and queries. */
#include "base/clock.h"
#include "base/str.h"
#include "model/catalog.h"
#include "model/labels.h"
#include "model/names.h"
#include "model/route_fields.h"
#include "model/tables.h"

#define COUNT_FIELD(field, low, high, what)                                                                  \
    { .name = (field), .type = SCHEMA_INT, .required = true, .min = (low), .max = (high), .help = what }

static const char *const modes[] = {"shared", "dedicated", "private", NULL};
static const char *const roles[] = {
#define ROLE(id, name, what) name,
#include "model/tables.def"
    NULL};

static bool is_key_hex(const char *s) {
    uint8_t key[32];
    return hex_decode(key, sizeof key, s);
}

#define LABELS_FIELD(field, what)                                                                            \
    {                                                                                                        \
        .name = (field), .type = SCHEMA_LIST, .max = LABELS_MAX, .check = label_is_valid,                    \
        .rule = LABEL_KEY_RULE, .help = what                                                                 \
    }
const struct schema_field plan_body[] = {
    NAME_FIELD("of the plan"),
    TITLE_FIELD,
    {.name = "modes",
     .type = SCHEMA_LIST,
     .required = true,
     .min = 1,
     .values = modes,
     .help = "of planes that it allows"},
    {.name = "max_instances", .type = SCHEMA_INT, .min = 0, .max = 1000000, .help = "quota; none: unlimited"},
    {.name = "max_memory_mb",
     .type = SCHEMA_INT,
     .min = 0,
     .max = 100000000,
     .help = "quota; none: unlimited"},
    {.name = "trial_days", .type = SCHEMA_INT, .min = 0, .max = 3650, .otherwise = "30", .help = "0: no end"},
    LABELS_FIELD("requires", "labels of the nodes on which its customers' instances run"),
    {0},
};
const struct schema_field customer_body[] = {
    NAME_FIELD("of the customer"), TITLE_FIELD, KEY_FIELD("plan", "its plan"), {0}};
const struct schema_field tenant_body[] = {
    NAME_FIELD("of the tenant"), TITLE_FIELD, KEY_FIELD("customer", "whose it is"), {0}};
const struct schema_field plane_body[] = {
    NAME_FIELD("of the plane"),
    {.name = "mode",
     .type = SCHEMA_STRING,
     .otherwise = "shared",
     .values = modes,
     .help = "who may be on it"},
    OPTIONAL_KEY_FIELD("customer", "of a dedicated or private plane"),
    {.name = "domain",
     .type = SCHEMA_STRING,
     .required = true,
     .min = 3,
     .max = 190,
     .check = name_is_domain,
     .rule = DOMAIN_RULE,
     .help = "under which its instances get their names"},
    {.name = "scheme",
     .type = SCHEMA_STRING,
     .otherwise = "http",
     .values = (const char *const[]){"http", NULL},
     .help = "of public addresses"},
    {.name = "public_port",
     .type = SCHEMA_INT,
     .min = 1,
     .max = 65535,
     .otherwise = "80",
     .help = "of its edges"},
    {.name = "link",
     .type = SCHEMA_STRING,
     .otherwise = "online",
     .values = (const char *const[]){"online", "file", NULL},
     .help = "how its nodes are told and heard; file: by files that somebody carries (private planes)"},
    {.name = "recovery_key",
     .type = SCHEMA_STRING,
     .min = 64,
     .max = 64,
     .check = is_key_hex,
     .rule = "64 hex digits: the public half; `fairlead plane create --recovery-key FILE` makes the pair",
     .help = "secrets are sealed to it too; that of a private plane is made by its first agent"},
    {0},
};
const struct schema_field node_body[] = {
    NAME_FIELD("of the node"),
    KEY_FIELD("plane", "that it belongs to"),
    {.name = "roles",
     .type = SCHEMA_LIST,
     .required = true,
     .min = 1,
     .values = roles,
     .help = "what it does"},
    {.name = "address",
     .type = SCHEMA_STRING,
     .required = true,
     .min = 7,
     .max = 15,
     .check = name_is_ipv4,
     .rule = "an IPv4 address",
     .help = "ports are bound to it; names point to it when it is an edge"},
    {.name = "arch", .type = SCHEMA_STRING, .otherwise = "amd64", .max = 16, .help = "of its processor"},
    COUNT_FIELD("cpu_milli", 100, 1024000, "capacity, thousandths of a core"),
    COUNT_FIELD("memory_mb", 128, 16777216, "capacity"),
    COUNT_FIELD("disk_mb", 128, 1073741824, "capacity"),
    {.name = "port_low",
     .type = SCHEMA_INT,
     .min = 1024,
     .max = 65535,
     .otherwise = "20000",
     .help = "first port for apps"},
    {.name = "port_high",
     .type = SCHEMA_INT,
     .min = 1024,
     .max = 65535,
     .otherwise = "29999",
     .help = "last one"},
    LABELS_FIELD("labels", "that it has, such as region=eu"),
    {0},
};
const struct schema_field labels_body[] = {LABELS_FIELD("labels", "that it has, such as region=eu"), {0}};
const struct schema_field size_body[] = {
    NAME_FIELD("of the size"),
    KEY_FIELD("plane", "that offers it"),
    COUNT_FIELD("cpu_milli", 10, 1024000, "limit, thousandths of a core"),
    COUNT_FIELD("memory_mb", 16, 16777216, "limit"),
    COUNT_FIELD("disk_mb", 0, 1073741824, "reserved; measured, not enforced"),
    {0},
};
const struct schema_field release_body[] = {
    KEY_FIELD("app", "name of the app"),
    {.name = "spec", .type = SCHEMA_OBJECT, .required = true, .fields = catalog_fields, .help = "app.yaml"},
    {.name = "template", .type = SCHEMA_STRING, .required = true, .max = 65536, .help = "compose.yaml"},
    {0},
};

const struct schema_field instance_body[] = {
    KEY_FIELD("app", "of the catalogue"),
    {.name = "version",
     .type = SCHEMA_STRING,
     .min = 1,
     .max = 30,
     .check = name_is_ref,
     .rule = REF_RULE,
     .help = "none: the default of the app, or the newest"},
    KEY_FIELD("name", "of the instance, within its tenant"),
    KEY_FIELD("customer", "whose it is"),
    KEY_FIELD("tenant", "in which it lives"),
    KEY_FIELD("plane", "on which it runs"),
    {.name = "size",
     .type = SCHEMA_STRING,
     .otherwise = "small",
     .min = 1,
     .max = 20,
     .check = name_is_valid,
     .rule = NAME_RULE,
     .help = "its limits"},
    {.name = "host",
     .type = SCHEMA_STRING,
     .min = 1,
     .max = 63,
     .check = name_is_label,
     .rule = LABEL_RULE,
     .help = "first label of its public name; none: NAME-TENANT-CUSTOMER"},
    {.name = "inputs", .type = SCHEMA_MAP, .otherwise = "", .help = "what the app asks for"},
    {.name = "trial_days", .type = SCHEMA_INT, .min = 0, .max = 3650, .help = "none: the plan's; 0: no end"},
    LABELS_FIELD("requires", "labels that its node must have; else it waits for one that does"),
    LABELS_FIELD("prefers", "labels that its node had better have"),
    {0},
};

#define NO_END "never"

/* Whether it lies ahead is for who knows the time to say. */
static bool is_end(const char *s) {
    int64_t us;
    return str_eq(s, NO_END) || clock_parse(s, &us);
}

const struct schema_field extend_body[] = {
    {.name = "days",
     .type = SCHEMA_INT,
     .min = 1,
     .max = 3650,
     .help = "more time; 30 where nothing is said"},
    {.name = "until",
     .type = SCHEMA_STRING,
     .min = 5,
     .max = 20,
     .check = is_end,
     .rule = "a date or a time in UTC that lies ahead (2027-01-31, 2027-01-31T12:00:00Z), or " NO_END,
     .help = "the end itself, sooner or later than it is now"},
    {0},
};

const struct schema_field prune_body[] = {
    {.name = "days",
     .type = SCHEMA_INT,
     .min = 0,
     .max = 3650,
     .otherwise = "30",
     .help = "for which nothing has used them"},
    {.name = "most",
     .type = SCHEMA_INT,
     .min = 1,
     .max = 1000,
     .otherwise = "1000",
     .help = "of them are named"},
    {.name = "look", .type = SCHEMA_BOOL, .otherwise = "false", .help = "say which, and change nothing"},
    {0},
};
const struct schema_field pruned_body[] = {
    {.name = "images",
     .type = SCHEMA_LIST,
     .required = true,
     .min = 1,
     .max = 1000,
     .check = name_is_image,
     .rule = "REPOSITORY@sha256:DIGEST",
     .help = "that the registry has no more"},
    {0},
};

/* What one report file is sent in: an envelope is smaller (SPOOL_BYTES_MAX), and a body is no larger. */
const struct schema_field reports_body[] = {{.name = "reports",
                                             .type = SCHEMA_STRING,
                                             .required = true,
                                             .min = 4,
                                             .max = 200000,
                                             .help = "an envelope of the node, base64"},
                                            {0}};
const struct schema_field address_body[] = {
    {.name = "address",
     .type = SCHEMA_STRING,
     .required = true,
     .min = 7,
     .max = 15,
     .check = name_is_ipv4,
     .rule = "an IPv4 address",
     .help = "at which edges reach its apps, and names lead to it"},
    {0},
};

#define REQUEST_MAX 4096 /* io/cert.h looks at no more */
const struct schema_field challenge_body[] = {
    {.name = "node", .type = SCHEMA_STRING, .required = true, .min = 32, .max = 36, .help = "its identity"},
    {0}};
const struct schema_field renew_body[] = {
    {.name = "node", .type = SCHEMA_STRING, .required = true, .min = 32, .max = 36, .help = "its identity"},
    {.name = "challenge", .type = SCHEMA_STRING, .required = true, .max = 200, .help = "as it was given"},
    {.name = "request",
     .type = SCHEMA_STRING,
     .required = true,
     .max = REQUEST_MAX,
     .help = "PKCS #10 of a P-256 key, PEM"},
    {.name = "proof",
     .type = SCHEMA_STRING,
     .required = true,
     .min = 128,
     .max = 128,
     .help = "signature over challenge and request, hex"},
    {0},
};
const struct schema_field enrol_body[] = {
    {.name = "code", .type = SCHEMA_STRING, .required = true, .min = 32, .max = 32, .help = "hex"},
    {.name = "sign_key",
     .type = SCHEMA_STRING,
     .required = true,
     .min = 64,
     .max = 64,
     .help = "Ed25519, hex"},
    {.name = "seal_key",
     .type = SCHEMA_STRING,
     .required = true,
     .min = 64,
     .max = 64,
     .help = "X25519, hex"},
    {.name = "recovery_key",
     .type = SCHEMA_STRING,
     .min = 64,
     .max = 64,
     .check = is_key_hex,
     .rule = "64 hex digits",
     .help = "of an agent: the public half of its customer's recovery key, X25519"},
    {.name = "proof",
     .type = SCHEMA_STRING,
     .required = true,
     .min = 128,
     .max = 128,
     .help = "signature over the code and both keys, hex"},
    {.name = "request",
     .type = SCHEMA_STRING,
     .max = REQUEST_MAX,
     .help = "for a certificate: PKCS #10 of a P-256 key, PEM; only its key and its proof count"},
    {0},
};

const struct schema_field empty_body[] = {{0}};

/* What a cursor or a state means nothing as has refusals of its own (docs/API.md), so their rules are not
 * here.
 */
#define CURSOR_FIELD                                                                                         \
    { .name = "after", .type = SCHEMA_STRING, .max = 200, .help = "what \"next\" of the page before said" }
const struct schema_field page_query[] = {CURSOR_FIELD, {0}};
const struct schema_field instances_query[] = {
    CURSOR_FIELD,
    {.name = "customer", .type = SCHEMA_STRING, .max = 200, .help = "only of this one"},
    {.name = "tenant", .type = SCHEMA_STRING, .max = 200, .help = "only of this one"},
    {.name = "name",
     .type = SCHEMA_STRING,
     .max = 200,
     .help = "only of this name; one that is deleted, too"},
    {.name = "state", .type = SCHEMA_STRING, .max = 200, .help = "only in this state"},
    {0},
};
const struct schema_field delete_query[] = {
    {.name = "purge", .type = SCHEMA_BOOL, .otherwise = "false", .help = "its data may go for good"}, {0}};
const struct schema_field bundle_query[] = {
    {.name = "all",
     .type = SCHEMA_BOOL,
     .otherwise = "false",
     .help = "for a new disk, or an old one: all images, and what is long gone"},
    {0}};
const struct schema_field events_query[] = {
    {.name = "after",
     .type = SCHEMA_STRING,
     .max = 200,
     .help = "the number of an event: only those behind it"},
    {0},
};
