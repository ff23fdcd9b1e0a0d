/* What routes answer. A field that is not required may be null; builds with fault points compare every answer
 * with its table. */
#include "model/catalog.h"
#include "model/route_fields.h"

#include <stdint.h>

#define TEXT(key, what)                                                                                      \
    { .name = (key), .type = SCHEMA_STRING, .max = 100000, .required = true, .help = what }
#define TEXT_OR_NULL(key, what)                                                                              \
    { .name = (key), .type = SCHEMA_STRING, .max = 100000, .help = what }
#define NUMBER(key, what)                                                                                    \
    { .name = (key), .type = SCHEMA_INT, .min = INT64_MIN, .max = INT64_MAX, .required = true, .help = what }
#define NUMBER_OR_NULL(key, what)                                                                            \
    { .name = (key), .type = SCHEMA_INT, .min = INT64_MIN, .max = INT64_MAX, .help = what }
#define TRUTH(key, what)                                                                                     \
    { .name = (key), .type = SCHEMA_BOOL, .required = true, .help = what }
#define TEXTS(key, what)                                                                                     \
    { .name = (key), .type = SCHEMA_LIST, .max = 100000, .help = what }
#define PARTS(key, table, what)                                                                              \
    { .name = (key), .type = SCHEMA_LIST, .max = 100000, .required = true, .fields = (table), .help = what }
#define ANY(key, what)                                                                                       \
    { .name = (key), .type = SCHEMA_ANY, .help = what }
#define ID TEXT("id", "its identity")
#define CREATED TEXT("created_at", "RFC 3339, UTC")

const struct schema_field status_word_answer[] = {TEXT("status", "one word"), {0}};
const struct schema_field enrol_answer[] = {
    TEXT("node", "its identity, hex"),
    TEXT("name", "of the node"),
    TEXT("address", "of the node"),
    TEXT("topic", "that its documents come in; of an agent: where it is told whose topics it reads"),
    TEXT("brokers", "of Kafka"),
    TEXT("sign_key", "of the coordinator, hex"),
    TEXT("seal_key", "of the coordinator, hex"),
    TEXT("seal_proof", "signature over the seal key, hex"),
    TEXT_OR_NULL("certificate", "of the node, and the chain to the authority's root; PEM"),
    TEXT_OR_NULL("mode",
                 "private: of the node's plane, whose topic that is; null: it is of a plane of the provider"),
    TEXT_OR_NULL("recovery_key", "of a private plane: the public half, hex"),
    TEXT_OR_NULL("link", "file: it is told and heard by files; null: it has one"),
    TEXT_OR_NULL("proof",
                 "over all the others, sorted and without spaces, by the key that the token names; hex"),
    TEXT_OR_NULL("key_set", "the coordinator's keys, signed by the authority's root; hex"),
    {0},
};
const struct schema_field authority_answer[] = {
    TEXT("root", "certificate (PEM) that ours lead to"),
    TEXT("sign_key", "of the coordinator, hex"),
    TEXT("proof", "its signature over the root, hex"),
    {0},
};
const struct schema_field challenge_answer[] = {TEXT("challenge", "hex"), {0}};
const struct schema_field renew_answer[] = {
    TEXT("certificate", "of the node, and the chain to the authority's root; PEM"),
    NUMBER("valid_s", "seconds, from now"),
    TEXT_OR_NULL("key_set", "the coordinator's keys, signed by the authority's root; hex"),
    {0},
};
const struct schema_field revoke_answer[] = {TEXT("node", "its name"), TEXT("state", "retired"), {0}};
static const struct schema_field silent_node[] = {
    TEXT("name", "of the node"), TEXT_OR_NULL("since", "last heard of"), {0}};
static const struct schema_field stuck_instance[] = {
    TEXT("customer", "whose it is"),
    TEXT("tenant", "in which it lives"),
    TEXT("instance", "its name"),
    TEXT("state", "of the instance"),
    TEXT("step", "that does not go on"),
    TEXT("step_state", "of the step"),
    TEXT_OR_NULL("class", "short code of the failure"),
    TEXT_OR_NULL("reason", "one sentence"),
    TEXT_OR_NULL("since", "began"),
    NUMBER("attempt", "tries so far"),
    TEXT_OR_NULL("next_try", "null: it waits for a person"),
    {0},
};
static const struct schema_field unwell_instance[] = {
    TEXT("customer", "whose it is"),
    TEXT("tenant", "in which it lives"),
    TEXT("instance", "its name"),
    TEXT_OR_NULL("health", "degraded, failing or unknown"),
    TEXT("reason", "one sentence"),
    TEXT_OR_NULL("since", "of the last change"),
    {0},
};
const struct schema_field check_answer[] = {
    TEXT("check", "what was looked at"),
    TRUTH("ok", "is it well"),
    TEXT("what", "was found"),
    TEXT_OR_NULL("next", "what to do"),
    {0},
};
const struct schema_field status_answer[] = {
    ANY("nodes", "how many, by health"),
    ANY("instances", "how many, by state"),
    ANY("health", "how many that run, by health"),
    NUMBER("outbox", "rows that the broker has not acknowledged"),
    NUMBER("outbox_held", "rows that it never will"),
    NUMBER("dead_letters", "records that nobody could use"),
    TRUTH("clock_held", "timers wait, because the clock jumped"),
    PARTS("silent_nodes", silent_node, "not heard of for a while"),
    NUMBER("stuck_all", "how many are stuck"),
    PARTS("stuck", stuck_instance, "the first 50 of them"),
    PARTS("unwell", unwell_instance, "the first 50 that run and are not ok"),
    PARTS("warnings", check_answer, "checks that failed"),
    {0},
};
static const struct schema_field inside_engine[] = {
    TEXT("name", "api, or ingest (reports and due rows)"),
    NUMBER("waiting", "inputs in its queue"),
    NUMBER("running", "inputs in the batch that runs; 0: none does"),
    NUMBER("running_us", "since that began, its repeats included"),
    NUMBER("batches", "ended, since the start"),
    NUMBER("inputs", "in them"),
    {0},
};
static const struct schema_field inside_lane[] = {
    NUMBER("lane", "0: events; 1 to 4: orders; 5 to 8: documents"),
    NUMBER("pid", "of the session of PostgreSQL that leases it"),
    TRUTH("alive", "is that session there"),
    NUMBER("rows", "that wait, up to 10,000"),
    TEXT_OR_NULL("waits_since", "the oldest of them"),
    TEXT_OR_NULL("sent_at", "the broker last acknowledged one"),
    {0},
};
static const struct schema_field inside_partition[] = {
    NUMBER("partition", "of fairlead.reports"),
    NUMBER("pid", "of the session of PostgreSQL whose coordinator reads it"),
    TRUTH("alive", "is that session there"),
    {0},
};
static const struct schema_field inside_timer[] = {
    TEXT("kind", "of what is due"),
    NUMBER("waiting", "rows"),
    NUMBER("late", "of them, due for more than 10 s"),
    TEXT_OR_NULL("next", "the earliest"),
    {0},
};
const struct schema_field inside_answer[] = {
    PARTS("engines", inside_engine, "that decide here"),
    NUMBER("reads_waiting", "at the desk"),
    NUMBER("checks_waiting", "looks that take long"),
    PARTS("lanes", inside_lane, "of the relay, whoever leases them"),
    PARTS("partitions", inside_partition, "of the reports, whoever reads them"),
    PARTS("timers", inside_timer, "by kind"),
    {0},
};
const struct schema_field clock_answer[] = {
    TRUTH("held", "timers that stop or remove wait"),
    NUMBER("jump_s", "by how much it jumped"),
    TEXT("now", "what timers go by"),
    NUMBER("waiting", "ends that are due"),
    {0},
};
const struct schema_field plan_answer[] = {
    ID,
    TEXT("name", "of the plan"),
    TEXT("title", "what a person reads"),
    TEXTS("modes", "of planes that it allows"),
    NUMBER_OR_NULL("max_instances", "null: no limit"),
    NUMBER_OR_NULL("max_memory_mb", "null: no limit"),
    NUMBER("trial_days", "0: no end"),
    TEXTS("requires", "labels of the nodes on which its customers' instances run"),
    CREATED,
    {0},
};
const struct schema_field customer_answer[] = {ID,
                                               TEXT("name", "of the customer"),
                                               TEXT("title", "what a person reads"),
                                               TEXT("plan", "its plan"),
                                               CREATED,
                                               {0}};
const struct schema_field tenant_answer[] = {ID,
                                             TEXT("customer", "whose it is"),
                                             TEXT("name", "of the tenant"),
                                             TEXT("title", "what a person reads"),
                                             CREATED,
                                             {0}};
const struct schema_field plane_answer[] = {
    ID,
    TEXT("name", "of the plane"),
    TEXT("mode", "who may be on it"),
    TEXT_OR_NULL("customer", "of a dedicated or private one"),
    TEXT("domain", "under which its instances get their names"),
    TEXT("scheme", "of public addresses"),
    NUMBER("public_port", "of its edges"),
    TEXT("link", "online, or file: its nodes are told and heard by files that somebody carries"),
    TEXT_OR_NULL("recovery_key", "public half, hex"),
    TEXT("phase", "pending, active, degraded or unreachable: what its nodes are"),
    TEXT_OR_NULL("phase_reason", "why it is not active"),
    CREATED,
    {0},
};
const struct schema_field node_answer[] = {
    ID,
    TEXT("name", "of the node"),
    TEXT("plane", "that it belongs to"),
    TEXTS("roles", "what it does"),
    TEXTS("labels", "that it has"),
    TEXT("state", "invited, enrolled, ready or retired"),
    TEXT_OR_NULL("health", "ok or unknown"),
    TEXT("address", "at which edges reach its apps"),
    TEXT("arch", "of its processor"),
    NUMBER("cpu_milli", "capacity"),
    NUMBER("memory_mb", "capacity"),
    NUMBER("disk_mb", "capacity"),
    TEXT_OR_NULL("version", "of its program"),
    TEXT_OR_NULL("seen_at", "last heard of"),
    NUMBER("memory_used_mb", "reserved by apps"),
    TEXT_OR_NULL("lacks", "for its roles, as its self-test says, and that its clock is off"),
    TEXT_OR_NULL(
        "doubt",
        "why it deletes nothing for now: stale (it hears no heartbeat) or withheld (it lacks documents)"),
    NUMBER("key_set", "by which it judges signatures; 0: it knows nothing of sets"),
    ANY("certificate", "that it has: enrolment, serial, fingerprint (SHA-256) and until"),
    ANY("presence", "what it last said of itself (one node only)"),
    CREATED,
    {0},
};
const struct schema_field invite_answer[] = {
    TEXT("node", "its name"), NUMBER("valid_s", "seconds"), TEXT("token", "for fairlead-worker enrol"), {0}};
const struct schema_field labels_answer[] = {
    TEXT("node", "its name"), TEXTS("labels", "that it has now"), {0}};
const struct schema_field address_answer[] = {
    TEXT("node", "its name"), TEXT("address", "that it has now"), NUMBER("instances", "that are told"), {0}};
static const struct schema_field bundle_record[] = {TEXT("topic", "that it would be read from"),
                                                    TEXT("key", "of the record, base64"),
                                                    TEXT("value", "signed, base64"),
                                                    {0}};
const struct schema_field bundle_answer[] = {
    TEXT("node", "its identity, hex"),
    TEXT("name", "of the node"),
    TEXT("made_at", "by the coordinator's clock"),
    TEXT("link", "file"),
    NUMBER("documents", "that it should hold"),
    NUMBER("unfinished",
           "apps of its plane of which a later bundle will say more: they are being built, or named"),
    PARTS("records", bundle_record, "in the order in which they are read"),
    TEXTS("images", "that it has not said to run yet: REPOSITORY@sha256:DIGEST"),
    {0},
};
const struct schema_field size_answer[] = {
    ID,
    TEXT("plane", "that offers it"),
    TEXT("name", "of the size"),
    NUMBER("cpu_milli", "limit"),
    NUMBER("memory_mb", "limit"),
    NUMBER("disk_mb", "reserved; measured, not enforced"),
    CREATED,
    {0},
};
const struct schema_field app_answer[] = {
    TEXT("name", "of the app"),
    TEXT("title", "what a person reads"),
    TEXT("summary", "one sentence"),
    TEXTS("versions", "that are offered, the newest first"),
    TEXTS("withdrawn", "that are not"),
    TEXT_OR_NULL("default", "that is taken where none is asked for"),
    ANY("inputs", "what it asks for, by name"),
    CREATED,
    {0},
};
const struct schema_field release_answer[] = {
    ID,
    TEXT("app", "its name"),
    TEXT("version", "of the app"),
    ANY("spec", "app.yaml"),
    TEXT("template", "compose.yaml"),
    ANY("sources", "of each image: state, commit, problem"),
    TEXT_OR_NULL("withdrawn_at", "null: it is offered"),
    CREATED,
    {0},
};
const struct schema_field image_answer[] = {TEXT("image", "REPOSITORY@sha256:DIGEST"), {0}};
const struct schema_field dead_letter_answer[] = {
    ID,
    TEXT("source", "the topic that it came from"),
    TEXT_OR_NULL("node", "that sent it"),
    TEXT("reason", "why nobody could use it"),
    NUMBER("bytes", "of it"),
    TEXT("hex", "the first 2,048 of them"),
    CREATED,
    {0},
};
const struct schema_field key_set_answer[] = {
    NUMBER("n", "of the set; the first key of an installation is in none"),
    TEXT("key", "the youngest of the set, hex"),
    TRUTH("at_once", "it was made after a theft: keys before it count no more"),
    TEXT("phase", "waiting, telling nodes, signing documents again, or done"),
    NUMBER("behind", "nodes that have not said that they know it"),
    TEXT("made_at", "by rotate"),
    TEXT_OR_NULL("released_at", "nodes are told of it"),
    TEXT_OR_NULL("signs_at", "the key signs"),
    TEXT_OR_NULL("signed_again_at", "all documents are signed by it"),
    {0},
};
const struct schema_field accepted_answer[] = {
    ID,
    TEXT("name", "of the instance"),
    TEXT("state", "that it is in"),
    NUMBER("generation", "of this request"),
    TEXT_OR_NULL("url", "at which it will answer"),
    {0},
};
const struct schema_field instance_answer[] = {
    ID,
    TEXT("name", "within its tenant"),
    TEXT("customer", "whose it is"),
    TEXT("tenant", "in which it lives"),
    TEXT("app", "of the catalogue"),
    TEXT("version", "of the app"),
    TEXT("plane", "on which it runs"),
    TEXT_OR_NULL("size", "its limits"),
    TEXTS("requires", "labels that its node must have"),
    TEXTS("prefers", "labels that its node had better have"),
    TEXT("state", "as docs/STATES.md has them"),
    TEXT_OR_NULL("health", "ok, degraded, failing or unknown"),
    TEXT_OR_NULL("health_reason", "one sentence"),
    TEXT_OR_NULL("host", "its public name"),
    TEXT_OR_NULL("url", "at which it answers"),
    TEXT_OR_NULL("node", "that it runs on"),
    TEXT_OR_NULL("edge", "that serves its name"),
    TEXT_OR_NULL("prober", "that watches it"),
    NUMBER("port", "of its node"),
    TEXT_OR_NULL("problem", "why it failed, one sentence"),
    ANY("inputs", "what was typed"),
    ANY("images", "by name: repository@digest"),
    ANY("commits", "by name: what it was built from"),
    NUMBER("generation", "that was accepted last: its ETag"),
    NUMBER("running", "generation whose walk runs, or ran last"),
    NUMBER("last_event", "its sequence"),
    NUMBER("memory_mb", "limit"),
    NUMBER("cpu_milli", "limit"),
    NUMBER("disk_mb", "reserved"),
    NUMBER("disk_used_mb", "as measured"),
    TEXT_OR_NULL("expires_at", "null: it has no end"),
    CREATED,
    TEXT("updated_at", "of its last request or state"),
    {0},
};
const struct schema_field step_answer[] = {
    NUMBER("generation", "of the request"),
    TEXT("intent", "what was asked"),
    TEXT("step", "kind of work"),
    TEXT("act", "which of its walk's"),
    TEXT("set", "letter of the set that it is about"),
    TEXT("part", "image, where there are several"),
    TEXT("state", "waiting, open, done, parked or dropped"),
    NUMBER("attempt", "tries so far"),
    TEXT_OR_NULL("started_at", "of the first try"),
    TEXT_OR_NULL("ended_at", "of the last"),
    TEXT_OR_NULL("class", "short code of a failure"),
    TEXT_OR_NULL("problem", "one sentence"),
    TEXT_OR_NULL("lines", "last output"),
    TEXT_OR_NULL("next_at", "sent again then"),
    ANY("facts", "what it found"),
    {0},
};
const struct schema_field provenance_answer[] = {
    TEXT("name", "of the image in its release"),
    TEXT("image", "repository@digest"),
    TEXT_OR_NULL("image_id",
                 "by which an Engine knows it; null: an earlier version built it, and nothing is known"),
    TEXT_OR_NULL("source", "repository that it was built from"),
    TEXT_OR_NULL("commit", "of that"),
    ANY("envelope", "payloadType, payload (base64 of the statement), signatures (keyid, sig): Ed25519 by a "
                    "key of the coordinator's"),
    {0},
};
const struct schema_field event_answer[] = {
    NUMBER("sequence", "rises by one within the instance"),
    NUMBER("generation", "of the request that ran"),
    TEXT("at", "RFC 3339, UTC"),
    TEXT("type", "as docs/EVENTS.md has them"),
    ANY("data", "as docs/EVENTS.md has them"),
    {0},
};
const struct schema_field credential_answer[] = {
    TEXT("name", "of the secret"),
    TEXT_OR_NULL("title", "what a person reads"),
    TEXT_OR_NULL("user", "whose it is"),
    TEXT("value", "shown until somebody confirms that it is written down"),
    {0},
};
const struct schema_field principal_answer[] = {
    TEXT("member", "NAME, or CUSTOMER/NAME"),
    TEXT("role", "of it"),
    TEXT_OR_NULL("customer", "that it is limited to"),
    TEXT_OR_NULL("tenant", "that it is limited to"),
    TEXT_OR_NULL("plane", "that it is limited to"),
    TEXTS("scopes", "what this token may"),
    TEXT("token", "identity of this token or session"),
    TEXT_OR_NULL("csrf", "of a session by cookie: what X-CSRF-Token of a change must say"),
    {0},
};
const struct schema_field role_answer[] = {
    TEXT("name", "of the role"),
    TEXT("side", "provider, or customer: who may have it"),
    TEXT("title", "what a person reads"),
    TEXTS("scopes", "what it may; *: everything"),
    {0},
};
const struct schema_field member_answer[] = {
    ID,
    TEXT("member", "NAME, or CUSTOMER/NAME"),
    TEXT("name", "of the member"),
    TEXT("title", "what a person reads"),
    TEXT("kind", "person or program"),
    TEXT("role", "what it may"),
    TEXT_OR_NULL("customer", "whose it is; null: the provider's"),
    TEXT_OR_NULL("tenant", "that it is limited to"),
    TEXT_OR_NULL("plane", "that it is limited to"),
    CREATED,
    {0},
};
#define TOKEN_FIELDS                                                                                         \
    ID, TEXT("member", "whose it is"), TEXT("name", "what it is for"), TEXT("hint", "its first characters"), \
        TEXTS("scopes", "what it may, of what its member may; null: all of it"), CREATED,                    \
        TEXT_OR_NULL("expires_at", "null: it does not end by itself"),                                       \
        TEXT_OR_NULL("used_at", "last used, to about a minute")
const struct schema_field token_answer[] = {TOKEN_FIELDS, {0}};
const struct schema_field new_token_answer[] = {TOKEN_FIELDS, TEXT("token", "itself: shown this once"), {0}};
const struct schema_field audit_answer[] = {
    NUMBER("chain", "that the row is in"),
    NUMBER("n", "its number in it"),
    TEXT("at", "RFC 3339, UTC"),
    TEXT_OR_NULL("member", "who; null: a stranger, or one that is gone"),
    TEXT_OR_NULL("principal", "its identity"),
    TEXT_OR_NULL("credential", "token or session by which it asked"),
    TEXT("address", "from where"),
    TEXT("act", "a route"),
    TEXT("object", "path of it"),
    NUMBER("status", "of the answer"),
    TEXT_OR_NULL("before", "hash of what was there"),
    TEXT_OR_NULL("after", "hash of what is there now"),
    TEXT_OR_NULL("request", "its identity"),
    TEXT_OR_NULL("trace", "W3C trace context"),
    {0},
};
static const struct schema_field audit_chain[] = {
    NUMBER("chain", "its number"),
    NUMBER("rows", "in it"),
    NUMBER("signed", "up to which number its head was signed"),
    {0},
};
const struct schema_field audit_verify_answer[] = {
    TRUTH("ok", "is all of it whole"),
    TEXT_OR_NULL("problem", "the first that is not"),
    PARTS("chains", audit_chain, "what was read"),
    {0},
};
const struct schema_field code_answer[] = {
    TEXT("member", "whose it is"), NUMBER("valid_s", "from now"), TEXT("code", "for POST /v1/password"), {0}};
const struct schema_field session_answer[] = {
    TEXT("member", "who has signed in"),
    NUMBER("valid_s", "from now"),
    TEXT_OR_NULL("token", "the session as a bearer token, where that was asked for"),
    TEXT_OR_NULL("csrf", "of a session by cookie: what X-CSRF-Token of a change must say"),
    {0},
};
const struct schema_field factor_answer[] = {TEXT("secret", "base32, for an authenticator"),
                                             TEXT("uri", "the same as otpauth://, for a picture"),
                                             {0}};
const struct schema_field identity_provider_answer[] = {
    ID,
    TEXT("name", "of it"),
    TEXT("title", "what a person reads"),
    TEXT_OR_NULL("customer", "whose members sign in there; null: the provider's"),
    TEXT("issuer", "OpenID Connect"),
    TEXT("client_id", "ours, there"),
    TEXT("claim", "that holds a member's name, the first time"),
    TEXT("sign_in", "path at which a person begins"),
    CREATED,
    {0},
};
