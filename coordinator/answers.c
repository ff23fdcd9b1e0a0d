/* What becomes of a request: refused with a sentence, or accepted with where to look. */
#include "base/json.h"
#include "coordinator/engine_own.h"
#include "coordinator/problem.h"

#include <stdio.h>

void request_answer(struct batch_input *in, int status, char *body, int64_t etag, const char *location) {
    in->answered = true;
    in->input->answer =
        (struct answer){.status = status, .body = body, .etag = etag, .location = mem_strdup(location)};
}

void request_refuse(struct batch_input *in, int status, const char *code, const char *sentence) {
    request_answer(in, status, problem_text(status, code, sentence), 0, NULL);
}

struct bytes request_hash(struct engine_batch *batch, const struct instance *instance) {
    char id[UUID_TEXT_SIZE];
    return audit_hash(batch->base.arena,
                      arena_printf(batch->base.arena, "%s %lld %s", uuid_text(instance->id, id),
                                   (long long)instance->accepted, state_rows[instance->state].name));
}

void request_accept(struct engine_batch *batch, struct batch_input *in, const struct instance *instance) {
    char id[UUID_TEXT_SIZE], location[64];
    in->customer_id = instance->customer_id;
    if (in->input->audit)
        in->after = request_hash(batch, instance);
    (void)snprintf(location, sizeof location, "/v1/instances/%s", uuid_text(instance->id, id));
    cleanup_json json_t *body = json_pack("{s:s, s:s, s:s, s:I, s:s?}", "id", id, "name", instance->name,
                                          "state", state_rows[instance->state].name, "generation",
                                          (json_int_t)instance->accepted, "url", instance->public_url);
    request_answer(in, 202, json_text(body), instance->accepted, location);
}
