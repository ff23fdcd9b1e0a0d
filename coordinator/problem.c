#include "coordinator/problem.h"

#include "base/json.h"

#include <stdio.h>

static const char *title_of(int status) {
    switch (status) {
    case 400:
        return "The request cannot be read";
    case 401:
        return "The request is not signed in";
    case 403:
        return "Not allowed";
    case 404:
        return "Not found";
    case 405:
        return "Not possible here";
    case 409:
        return "In conflict with what is there";
    case 411:
        return "The length is missing";
    case 412:
        return "Changed meanwhile";
    case 413:
        return "Too large";
    case 422:
        return "Something in the request is not right";
    case 429:
        return "Too often";
    case 503:
        return "Not now";
    default:
        return "Something went wrong";
    }
}

char *problem_text(int status, const char *code, const char *sentence) {
    char type[96];
    (void)snprintf(type, sizeof type, "urn:fairlead:problem:%s", code);
    cleanup_json json_t *problem =
        json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", type, "title", title_of(status), "status", status,
                  "code", code, "detail", sentence);
    return json_text(problem ? problem : json_object());
}
