/* What a customer signs besides, when its policy asks for it: what runs, and with what rights. A text that a
 * person can read: app and version, images by digest, and the release as it is rendered from (commands,
 * mounts, ports, capabilities). Names, texts, sizes, addresses and the chain of a certificate are not in it:
 * they change without it. */
#ifndef FAIRLEAD_MODEL_COUNTERSIGN_H
#define FAIRLEAD_MODEL_COUNTERSIGN_H

#include "base/hash.h"
#include "base/mem.h"
#include "proto/fairlead.pb-c.h"

/* Of the envelope that a signature covers (io/sign.h). */
#define COUNTERSIGN_TYPE "fairlead.countersign.v1"

/* The same bytes for the same images and release, whoever's instance it is. In the arena. NULL: a part of it
 * is not text (control characters could hide the rest from who reads it): that is never signed. */
const char *countersign_text(const Fairlead__V1__Stack *stack, struct arena *arena);
/* By which it is called: hash of the text, 32 hex digits. */
#define COUNTERSIGN_NAME_SIZE 33
char *countersign_name(const char *text, char out[COUNTERSIGN_NAME_SIZE]);

#endif
