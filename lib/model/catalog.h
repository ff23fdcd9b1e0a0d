/* A release: one immutable version of an app, read from catalog/APP/app.yaml and compose.yaml
 * (docs/CATALOGUE.md) and kept as JSON in the `releases` table. Parsing checks everything that can be checked
 * without a machine. */
#ifndef FAIRLEAD_MODEL_CATALOG_H
#define FAIRLEAD_MODEL_CATALOG_H

#include "base/err.h"
#include "base/schema.h"
#include "base/uuid.h"
#include "model/tables.h"

#include <jansson.h>

extern const struct schema_field catalog_fields[]; /* app.yaml, for docs */

struct release {
    struct uuid id;
    const char *app, *version, *title, *template; /* template: the text of compose.yaml, or "" */
    unsigned needs;                               /* bits of enum need */
    json_t *spec;                                 /* checked app.yaml; images, inputs, secrets, health ... */
    bool trial;                                   /* a trial ends: everything but noop */
};

/* Checks and completes a spec (as read from YAML or from the table). NULL on error, class park.
 * The release owns its texts and spec; release_free() takes NULL. */
struct release *release_parse(struct uuid id, const char *app, const char *version, const json_t *spec,
                              const char *template, struct err *err);
void release_free(struct release *release);

/* Judges what a customer typed against the inputs of a release: types, limits, unknown keys; fills defaults.
 * `inputs` is changed in place. The error names the input by its title. Class park. */
MUST_CHECK int release_check_inputs(const struct release *release, json_t *inputs, struct err *err);

/* Images in the order of the spec. */
size_t release_images(const struct release *release);
const char *release_image_name(const struct release *release, size_t i);

#endif
