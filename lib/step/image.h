/* An image on this machine's Engine, fetched by the node itself: by digest, from the provider's registry, by
 * its own certificate and proxy, with what of it is here already left out, and from where it was cut short.
 * What comes is not loaded unless it is what the provenance in the document binds. */
#ifndef FAIRLEAD_STEP_IMAGE_H
#define FAIRLEAD_STEP_IMAGE_H

#include "io/registry.h"
#include "step/step.h"

/* The registry as this machine reaches it: by TLS where it is not on it. */
struct registry image_registry(const struct step_machine *machine);

/* `image`: repository@sha256:...; `id`: by which the Engine will know it. Fetches and loads it where the
 * Engine does not have it, for a minute at most: then it says how far it has come, class retry, and goes on
 * there another time. Class park: the registry does not have it, or it is another one; retry. */
MUST_CHECK int image_ensure(struct step_context *ctx, const char *image, const char *id, struct err *err);

/* The id that this node once found an image to have; NULL: it never looked. In the arena. */
const char *image_bound(struct step_context *ctx, const char *image);

/* What was fetched of it and not loaded goes. */
void image_drop(struct step_context *ctx, const char *image);
/* The same; and its name on the Engine, with it the image where nothing
 * else needs it. What cannot be removed costs room and nothing else. */
void image_forget(struct step_context *ctx, const char *image);

/* At the start of a program: what was fetched and not wanted any more for a week goes, and what came by file
 * and nothing has asked for in a month. `state`: its folder. */
void image_sweep(const char *state);

#endif
