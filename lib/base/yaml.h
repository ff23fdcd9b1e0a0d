/* A small reader of YAML into jansson, for files of ours (catalogue, settings): one document, maps with
 * scalar keys, lists, scalars. Anchors, aliases, tags, duplicate keys, a second document, depth over 16, more
 * than 20,000 nodes and files over 64 KiB are refused with line and column. Every scalar becomes a *string*:
 * `no`, `010` and `1e3` stay what was typed; numbers and booleans are read by schema_check(SCHEMA_TEXT). */
#ifndef FAIRLEAD_BASE_YAML_H
#define FAIRLEAD_BASE_YAML_H

#include "base/err.h"

#include <jansson.h>
#include <stddef.h>

#define YAML_BYTES_MAX 65536

/* NULL on error, class park: "NAME:LINE:COLUMN: reason". */
json_t *yaml_parse(const char *name, const char *text, size_t n, struct err *err);

/* Emits maps (in insertion order), lists and scalars as YAML; every scalar is double-quoted where it is not a
 * number or boolean of JSON, so that no value can become structure. The caller frees; NULL on error. */
char *yaml_emit(const json_t *json, struct err *err);

#endif
