/* Grammars, one per kind of name (acceptance rows 1 and 10). Pure checks; the sentence that goes with each is
 * what a refused person reads. */
#ifndef FAIRLEAD_MODEL_NAMES_H
#define FAIRLEAD_MODEL_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/* Customers, tenants, instances, planes, nodes, sizes: 1 to 20 of a-z, 0-9 and -, a letter first, no - last.
 * Three of them and two hyphens are at most 62 bytes: one DNS label (RFC 1035, 63). */
bool name_is_valid(const char *s);
#define NAME_RULE "1 to 20 lower-case letters, digits and hyphens, a letter first and no hyphen last"

/* One DNS label that a customer may choose for an instance: as a name, up to 63. */
bool name_is_label(const char *s);
#define LABEL_RULE "1 to 63 lower-case letters, digits and hyphens, a letter first and no hyphen last"

/* A DNS name of at least two labels, without the last dot, at most 190 bytes (a label before it still fits).
 */
bool name_is_domain(const char *s);
#define DOMAIN_RULE "a domain name in lower case, such as apps.example.org"

/* A git ref or commit that no command can take for an option and no shell for syntax. */
bool name_is_ref(const char *s);
#define REF_RULE "a branch, tag or commit of letters, digits and . _ / -, not beginning with a hyphen"

/* A relative folder: no empty, "." or ".." part, none that begins with a hyphen. */
bool name_is_path(const char *s);
#define PATH_RULE "a relative path of plain names"
bool name_is_folder(const char *s); /* a path, or "." */
#define FOLDER_RULE "a relative path of plain names, or ."

bool name_is_https_or_path(const char *s); /* what a source may name */
#define SOURCE_RULE "an https address, or a path below the builder's folder of sources"

bool name_is_key(const char *s); /* inputs, secrets, services: a-z first, then a-z, 0-9 and _; up to 32 */
#define KEY_RULE "1 to 32 lower-case letters, digits and underscores, a letter first"

/* Brokers (HOST:PORT, separated by commas) that are all on this machine: Kafka is plaintext, and so stays
 * there. */
bool name_is_loopback(const char *brokers);

/* A duration of a template: numbers with h, m, s or ms, the larger unit first (1m30s), up to an hour. Compose
 * drops others silently, or refuses them at a customer's first start: version 1 takes "90" and "1d" and does
 * not know them, version 2 refuses the first and reads the second as a day (docker-compose 1.29.2, compose-go
 * 2.14). *ret_ms may be NULL. */
bool name_is_duration(const char *s, int64_t *ret_ms);
#define DURATION_RULE "a number with h, m, s or ms, such as 30s or 1m30s, up to an hour"

bool name_is_ipv4(const char *s);
#define DIGEST_SIZE 72 /* "sha256:", 64 hex digits in lower case, and the end */
bool name_is_digest(const char *s);
bool name_is_image(const char *s); /* repository@sha256:64 hex digits, without a registry host */

#endif
