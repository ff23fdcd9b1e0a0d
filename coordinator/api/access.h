/* Between members.c and tokens.c: what may be given to whom. */
#ifndef FAIRLEAD_COORDINATOR_API_ACCESS_H
#define FAIRLEAD_COORDINATOR_API_ACCESS_H

#include "coordinator/api/api.h"
#include "coordinator/problem.h"
#include "io/token.h"

#include <stdio.h>
#include <string.h>

/* A secret of a request's identity, as a token: nobody but us can make it, and we can make it again. */
void access_token_text(const struct api *api, struct uuid request, char out[TOKEN_TEXT_SIZE]);
/* "harbour/anna" as it is, "anna" as "-/anna": the key of a member. */
const char *access_member_key(struct arena *arena, const char *member);
/* Is it the code of the second factor in the box, and the first time that it comes? 1, 0; -1: not known. */
MUST_CHECK int access_check_code(struct api_call *call, struct pg *pg, struct uuid member, struct bytes box,
                                 const char *code, struct err *err);
/* A person that has shown who it is, or claims to be somebody. */
struct access_person {
    struct uuid id, customer_id; /* nil: nobody of that name is known */
    const char *member;
};
/* Told, also where it failed: who tries to be whom, from where. `session` nil: none came of it. */
MUST_CHECK int access_note_sign_in(const struct api_call *call, struct pg *pg,
                                   const struct access_person *person, struct uuid session, int status,
                                   struct err *err);
/* A session of twelve hours, as the answer of the call. */
void access_open_session(struct api_call *call, struct pg *pg, const struct access_person *person,
                         bool by_cookie);
/* False: it is more than the token of who asks may itself; refused. */
bool access_may_give(const struct api_call *call, unsigned scopes, struct api_done *ret);

#endif
