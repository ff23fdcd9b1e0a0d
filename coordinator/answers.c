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

void request_accept(struct batch_input *in, const struct instance *instance) {
    char id[UUID_TEXT_SIZE], location[64];
    (void)snprintf(location, sizeof location, "/v1/instances/%s", uuid_text(instance->id, id));
    cleanup_json json_t *body = json_pack("{s:s, s:s, s:s, s:I, s:s?}", "id", id, "name", instance->name,
                                          "state", state_rows[instance->state].name, "generation",
                                          (json_int_t)instance->accepted, "url", instance->public_url);
    request_answer(in, 202, json_text(body), instance->accepted, location);
}
