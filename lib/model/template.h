/* compose.yaml of a release: what of it is read, and the values that go into its scalars. Pure.
 *
 * A key that is not on the list is refused. {{inputs.NAME}}, {{identity}}, {{public_url}}, {{host}} are put
 * in after the template was parsed, and "$" is doubled, so a value can become nothing but text. */
#ifndef FAIRLEAD_MODEL_TEMPLATE_H
#define FAIRLEAD_MODEL_TEMPLATE_H

#include "base/err.h"
#include "proto/fairlead.pb-c.h"

#include <jansson.h>

/* The template as JSON, its services those of the spec. NULL on error, class park. The caller releases it. */
json_t *template_parse(const char *text, const json_t *spec, struct err *err);
/* A part of it with the values of the stack in its scalars. NULL on error, class park: a value that there is
 * not, or one that is too long. */
json_t *template_fill(const Fairlead__V1__Stack *stack, const json_t *part, struct err *err);
/* The capabilities that a service of the spec asks for are among those that are ever granted. Class park. */
MUST_CHECK int template_check_caps(const char *name, const json_t *service, struct err *err);

/* Judges a new one, before it is registered: all of the above, and what instances would only meet when they
 * run. What is registered is not judged again. Class park. */
MUST_CHECK int template_check(const char *text, const json_t *spec, struct err *err);

#endif
