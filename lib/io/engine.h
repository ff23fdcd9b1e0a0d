/* The Docker Engine by its HTTP API on a unix socket (version 1.41). What is read back here is the truth
 * about a stack; its events are a hint only. */
#ifndef FAIRLEAD_IO_ENGINE_H
#define FAIRLEAD_IO_ENGINE_H

#include "base/err.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* One call. *ret is the JSON of the answer (NULL for none); *ret_status its status. Class retry. */
MUST_CHECK int engine_call(const char *socket, const char *method, const char *path, const json_t *body,
                           int64_t timeout_us, long *ret_status, json_t **ret, struct err *err);
/* All containers (running or not) with label=value, each as the Engine's inspect shows it. A list, owned by
 * the caller. */
MUST_CHECK int engine_containers(const char *socket, const char *label, json_t **ret, struct err *err);
/* TERM, `grace_s` seconds, then KILL; and looks how it ended: 137 is KILL. One that is gone has ended with 0.
 * Class retry. */
MUST_CHECK int engine_stop(const char *socket, const char *container, int64_t grace_s, int64_t *ret_exit,
                           struct err *err);
/* The folder below which it keeps images and volumes; "" when it does not say. */
void engine_root(const char *socket, char *ret, size_t size);
/* Pulls repository@digest; no total limit, but the Engine must say something every 60 s. Class retry, or park
 * when the registry does not have it. */
MUST_CHECK int engine_pull(const char *socket, const char *image, struct err *err);
/* Is there an image of that name or id? *ret_here. Class retry: the Engine does not answer. */
MUST_CHECK int engine_find_image(const char *socket, const char *image, bool *ret_here, struct err *err);
/* Does it call images by the digest of their manifest (containerd's store), and not by that of their
 * configuration? False, too, where it does not answer. */
bool engine_names_by_manifest(const char *socket);
#define ENGINE_REFUSED "refused" /* err.code: it has answered, and does not take it */
/* Loads an archive of images (what `docker save` writes) that is read from `fd` to its end. Class retry: also
 * where the Engine says that it is none. */
MUST_CHECK int engine_load(const char *socket, int fd, const atomic_int *stop, struct err *err);
bool engine_has_image(const char *socket, const char *image);
/* Which image that reference names here; NULL: none, or the Engine does not answer. The caller frees. */
char *engine_image_id(const char *socket, const char *image);
/* Runs `command` (a list of texts) inside a container, as its user, and waits for its end. Class retry: it
 * did not run, or not to its end in that time. */
MUST_CHECK int engine_exec(const char *socket, const char *container, const json_t *command,
                           int64_t timeout_us, int64_t *ret_status, struct err *err);
/* Last lines of a container's output, as text. */
char *engine_logs(const char *socket, const char *container, int lines);

/* Follows events of containers with a label until *stop is set; calls each(arg, instance label) for start,
 * die, destroy, oom and health changes. Returns when the stream ends. */
void engine_follow(const char *socket, const char *label_key, const atomic_int *stop,
                   void (*each)(void *arg, const char *label_value), void *arg);

#endif
