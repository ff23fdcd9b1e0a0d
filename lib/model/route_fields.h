/* For routes.c: the tables of bodies, queries and answers that routes.def names; and rows that several of
 * them have. */
#ifndef FAIRLEAD_MODEL_ROUTE_FIELDS_H
#define FAIRLEAD_MODEL_ROUTE_FIELDS_H

#include "base/schema.h"

/* Of bodies; who uses them includes model/names.h. */
#define NAME_FIELD(what)                                                                                     \
    {                                                                                                        \
        .name = "name", .type = SCHEMA_STRING, .required = true, .min = 1, .max = 20,                        \
        .check = name_is_valid, .rule = NAME_RULE, .help = what                                              \
    }
#define TITLE_FIELD                                                                                          \
    { .name = "title", .type = SCHEMA_STRING, .otherwise = "", .max = 100, .help = "what a person reads" }
#define KEY_FIELD(field, what)                                                                               \
    {                                                                                                        \
        .name = (field), .type = SCHEMA_STRING, .required = true, .min = 1, .max = 20,                       \
        .check = name_is_valid, .rule = NAME_RULE, .help = what                                              \
    }
#define OPTIONAL_KEY_FIELD(field, what)                                                                      \
    {                                                                                                        \
        .name = (field), .type = SCHEMA_STRING, .min = 1, .max = 20, .check = name_is_valid,                 \
        .rule = NAME_RULE, .help = what                                                                      \
    }

/* route_bodies.c, route_bodies_access.c: what is sent. */
extern const struct schema_field empty_body[], enrol_body[], challenge_body[], labels_body[], renew_body[],
    plan_body[], customer_body[], tenant_body[], plane_body[], node_body[], address_body[], size_body[],
    release_body[], prune_body[], pruned_body[], instance_body[], extend_body[], member_body[], code_body[],
    session_body[], password_body[], old_password_body[], factor_body[], identity_provider_body[],
    role_body[], token_body[], rotate_body[], reports_body[];
extern const struct schema_field page_query[], instances_query[], delete_query[], events_query[],
    callback_query[], bundle_query[];

/* route_answers.c: what is told. A field that is not required may be null. */
extern const struct schema_field status_word_answer[], enrol_answer[], authority_answer[], challenge_answer[],
    renew_answer[], revoke_answer[], labels_answer[], status_answer[], check_answer[], clock_answer[],
    inside_answer[], plan_answer[], customer_answer[], tenant_answer[], plane_answer[], node_answer[],
    invite_answer[], address_answer[], bundle_answer[], size_answer[], app_answer[], release_answer[],
    image_answer[], dead_letter_answer[], key_set_answer[], instance_answer[], accepted_answer[],
    step_answer[], provenance_answer[], event_answer[], credential_answer[], principal_answer[],
    role_answer[], member_answer[], token_answer[], new_token_answer[], code_answer[], session_answer[],
    factor_answer[], identity_provider_answer[], audit_answer[], audit_verify_answer[];

#endif
