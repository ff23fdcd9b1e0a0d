#include "io/kadmin.h"

#include "base/str.h"
#include "io/broker_own.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS 11000
#define RIGHTS_MAX 1000 /* of one request: a controller takes only so many changes at once */

struct kadmin {
    rd_kafka_t *rk;
    rd_kafka_queue_t *answers; /* to the question that was asked */
};

struct kadmin *kadmin_open(const struct broker *broker, const char *client, struct err *err) {
    char text[256];
    const char *const settings[][2] = {{"socket.timeout.ms", "10000"},
                                       {"socket.keepalive.enable", "true"},
                                       {"reconnect.backoff.max.ms", "1000"},
                                       {0}};
    rd_kafka_conf_t *conf = broker_conf(broker, client, settings, err);
    if (!conf)
        return NULL;
    struct kadmin *kadmin = mem_alloc(sizeof *kadmin);
    kadmin->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!kadmin->rk) {
        (void)err_set(err, ERR_RETRY, "kafka: %s", text);
        rd_kafka_conf_destroy(conf);
        free(kadmin);
        return NULL;
    }
    return kadmin;
}

void kadmin_close(struct kadmin *kadmin) {
    if (!kadmin)
        return;
    rd_kafka_destroy(kadmin->rk);
    free(kadmin);
}

/* Of its own for each question: an answer that is late is nobody's. */
static rd_kafka_queue_t *answers_to(struct kadmin *kadmin) {
    return kadmin->answers = rd_kafka_queue_new(kadmin->rk);
}

/* The answer to what was just asked; NULL: none came, or a refusal. */
static rd_kafka_event_t *answer(struct kadmin *kadmin, const char *otherwise, struct err *err) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(kadmin->answers, ANSWER_MS);
    rd_kafka_queue_destroy(kadmin->answers);
    if (event && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return event;
    (void)err_set(err, ERR_RETRY, "kafka: %s: %s", otherwise,
                  event ? rd_kafka_event_error_string(event) : "no answer");
    if (event)
        rd_kafka_event_destroy(event);
    return NULL;
}

static int add_settings(rd_kafka_NewTopic_t *topic, const char *const *settings, struct err *err) {
    for (; *settings; settings++) {
        char name[64];
        const char *eq = strchr(*settings, '=');
        (void)snprintf(name, sizeof name, "%.*s", (int)(eq - *settings), *settings);
        if (rd_kafka_NewTopic_set_config(topic, name, eq + 1) != RD_KAFKA_RESP_ERR_NO_ERROR)
            return err_set(err, ERR_BUG, "kafka topic setting \"%s\"", *settings);
    }
    return 0;
}

static int create(struct kadmin *kadmin, rd_kafka_NewTopic_t *topic, const char *name, bool *ret_made,
                  struct err *err) {
    rd_kafka_CreateTopics(kadmin->rk, &topic, 1, NULL, answers_to(kadmin));
    rd_kafka_event_t *event = answer(kadmin, "topics cannot be made", err);
    if (!event)
        return -1;
    size_t n;
    const rd_kafka_topic_result_t **topics =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
    rd_kafka_resp_err_t code = n ? rd_kafka_topic_result_error(topics[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
    rd_kafka_event_destroy(event);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return err_set(err, ERR_RETRY, "kafka topic \"%s\" cannot be made: %s", name, rd_kafka_err2str(code));
    if (ret_made)
        *ret_made = code == RD_KAFKA_RESP_ERR_NO_ERROR;
    return 0;
}

int kadmin_make_topic(struct kadmin *kadmin, const char *topic, int partitions, const char *const *settings,
                      bool *ret_made, struct err *err) {
    char text[256];
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, partitions, -1, text, sizeof text);
    if (!wanted)
        return err_set(err, ERR_BUG, "kafka topic \"%s\": %s", topic, text);
    int rc = add_settings(wanted, settings, err);
    if (rc == 0)
        rc = create(kadmin, wanted, topic, ret_made, err);
    rd_kafka_NewTopic_destroy(wanted);
    return rc;
}

int kadmin_topics(struct kadmin *kadmin, void (*each)(void *arg, const char *topic), void *arg,
                  struct err *err) {
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(kadmin->rk, 1, NULL, &metadata, 5000);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_set(err, ERR_RETRY, "kafka: %s", rd_kafka_err2str(code));
    for (int i = 0; i < metadata->topic_cnt; i++)
        if (metadata->topics[i].err == RD_KAFKA_RESP_ERR_NO_ERROR)
            each(arg, metadata->topics[i].topic);
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

/* ---- rights ---- */

static const struct kind {
    int ours;
    int theirs;
} kinds[] = {{KRIGHT_TOPIC, RD_KAFKA_RESOURCE_TOPIC}, {KRIGHT_GROUP, RD_KAFKA_RESOURCE_GROUP}},
  acts[] = {{KRIGHT_READ, RD_KAFKA_ACL_OPERATION_READ},
            {KRIGHT_WRITE, RD_KAFKA_ACL_OPERATION_WRITE},
            {KRIGHT_DESCRIBE, RD_KAFKA_ACL_OPERATION_DESCRIBE},
            {KRIGHT_ALL, RD_KAFKA_ACL_OPERATION_ALL}};
#define KINDS (sizeof kinds / sizeof *kinds)
#define ACTS (sizeof acts / sizeof *acts)
#define PRINCIPAL "User:"

int kright_compare(const struct kright *a, const struct kright *b) {
    int by = strcmp(a->principal, b->principal);
    by = by ? by : (int)a->of - (int)b->of;
    by = by ? by : strcmp(a->name, b->name);
    by = by ? by : (int)a->act - (int)b->act;
    by = by ? by : (int)a->prefixed - (int)b->prefixed;
    return by ? by : (int)a->deny - (int)b->deny;
}

static int theirs(const struct kind *table, size_t n, int ours) {
    for (size_t i = 0; i < n; i++)
        if (table[i].ours == ours)
            return table[i].theirs;
    abort();
}

static bool ours(const struct kind *table, size_t n, int theirs, int *ret) {
    for (size_t i = 0; i < n; i++)
        if (table[i].theirs == theirs) {
            *ret = table[i].ours;
            return true;
        }
    return false;
}

/* False: it is of a kind that this table does not have. */
static bool read_right(const rd_kafka_AclBinding_t *acl, struct arena *arena, struct kright *ret) {
    const char *principal = rd_kafka_AclBinding_principal(acl), *name = rd_kafka_AclBinding_name(acl);
    rd_kafka_ResourcePatternType_t pattern = rd_kafka_AclBinding_resource_pattern_type(acl);
    int of, act;
    if (!str_starts(principal, PRINCIPAL) || !str_eq(rd_kafka_AclBinding_host(acl), "*") ||
        !ours(kinds, KINDS, (int)rd_kafka_AclBinding_restype(acl), &of) ||
        !ours(acts, ACTS, (int)rd_kafka_AclBinding_operation(acl), &act) ||
        (pattern != RD_KAFKA_RESOURCE_PATTERN_LITERAL && pattern != RD_KAFKA_RESOURCE_PATTERN_PREFIXED))
        return false;
    *ret = (struct kright){.principal = arena_strdup(arena, principal + sizeof PRINCIPAL - 1),
                           .name = arena_strdup(arena, name),
                           .of = (enum kright_of)of,
                           .act = (enum kright_act)act,
                           .prefixed = pattern == RD_KAFKA_RESOURCE_PATTERN_PREFIXED,
                           .deny =
                               rd_kafka_AclBinding_permission_type(acl) == RD_KAFKA_ACL_PERMISSION_TYPE_DENY};
    return true;
}

int kadmin_rights(struct kadmin *kadmin, const char *principal, struct arena *arena, struct vec *ret,
                  struct err *err) {
    char text[256];
    const char *whose = principal ? arena_printf(arena, PRINCIPAL "%s", principal) : NULL;
    rd_kafka_AclBindingFilter_t *filter = rd_kafka_AclBindingFilter_new(
        RD_KAFKA_RESOURCE_ANY, NULL, RD_KAFKA_RESOURCE_PATTERN_ANY, whose, NULL, RD_KAFKA_ACL_OPERATION_ANY,
        RD_KAFKA_ACL_PERMISSION_TYPE_ANY, text, sizeof text);
    if (!filter)
        return err_set(err, ERR_BUG, "kafka: %s", text);
    rd_kafka_DescribeAcls(kadmin->rk, filter, NULL, answers_to(kadmin));
    rd_kafka_AclBinding_destroy(filter);
    rd_kafka_event_t *event = answer(kadmin, "rights cannot be read", err);
    if (!event)
        return -1;
    size_t n;
    const rd_kafka_AclBinding_t **acls =
        rd_kafka_DescribeAcls_result_acls(rd_kafka_event_DescribeAcls_result(event), &n);
    for (size_t i = 0; i < n; i++) {
        struct kright right;
        if (read_right(acls[i], arena, &right))
            *vec_add(arena, ret, struct kright) = right;
    }
    rd_kafka_event_destroy(event);
    return 0;
}

typedef rd_kafka_AclBinding_t *make_acl(rd_kafka_ResourceType_t of, const char *name,
                                        rd_kafka_ResourcePatternType_t pattern, const char *principal,
                                        const char *host, rd_kafka_AclOperation_t act,
                                        rd_kafka_AclPermissionType_t type, char *text, size_t size);

static rd_kafka_AclBinding_t *acl_of(const struct kright *right, make_acl *make) {
    char principal[300], text[256];
    (void)snprintf(principal, sizeof principal, PRINCIPAL "%s", right->principal);
    return make((rd_kafka_ResourceType_t)theirs(kinds, KINDS, (int)right->of), right->name,
                right->prefixed ? RD_KAFKA_RESOURCE_PATTERN_PREFIXED : RD_KAFKA_RESOURCE_PATTERN_LITERAL,
                principal, "*", (rd_kafka_AclOperation_t)theirs(acts, ACTS, (int)right->act),
                right->deny ? RD_KAFKA_ACL_PERMISSION_TYPE_DENY : RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, text,
                sizeof text);
}

static rd_kafka_AclBinding_t **acls_of(const struct kright *rights, size_t n, make_acl *make,
                                       struct err *err) {
    rd_kafka_AclBinding_t **acls = mem_alloc((n + 1) * sizeof(rd_kafka_AclBinding_t *));
    for (size_t i = 0; i < n; i++)
        if (!(acls[i] = acl_of(&rights[i], make))) {
            (void)err_set(err, ERR_BUG, "kafka: a right on \"%s\" cannot be said", rights[i].name);
            rd_kafka_AclBinding_destroy_array(acls, i);
            free(acls);
            return NULL;
        }
    return acls;
}

static int give(struct kadmin *kadmin, const struct kright *rights, size_t n, struct err *err) {
    rd_kafka_AclBinding_t **acls = acls_of(rights, n, rd_kafka_AclBinding_new, err);
    if (!acls)
        return -1;
    rd_kafka_CreateAcls(kadmin->rk, acls, n, NULL, answers_to(kadmin));
    rd_kafka_AclBinding_destroy_array(acls, n);
    free(acls);
    rd_kafka_event_t *event = answer(kadmin, "rights cannot be given", err);
    if (!event)
        return -1;
    size_t results_n;
    const rd_kafka_acl_result_t **results =
        rd_kafka_CreateAcls_result_acls(rd_kafka_event_CreateAcls_result(event), &results_n);
    int rc = 0;
    for (size_t i = 0; i < results_n && rc == 0; i++)
        if (rd_kafka_acl_result_error(results[i]))
            rc = err_set(err, ERR_RETRY, "kafka: a right cannot be given: %s",
                         rd_kafka_error_string(rd_kafka_acl_result_error(results[i])));
    rd_kafka_event_destroy(event);
    return rc;
}

static int take(struct kadmin *kadmin, const struct kright *rights, size_t n, struct err *err) {
    rd_kafka_AclBinding_t **acls = acls_of(rights, n, rd_kafka_AclBindingFilter_new, err);
    if (!acls)
        return -1;
    rd_kafka_DeleteAcls(kadmin->rk, acls, n, NULL, answers_to(kadmin));
    rd_kafka_AclBinding_destroy_array(acls, n);
    free(acls);
    rd_kafka_event_t *event = answer(kadmin, "rights cannot be taken back", err);
    if (!event)
        return -1;
    size_t results_n;
    const rd_kafka_DeleteAcls_result_response_t **results =
        rd_kafka_DeleteAcls_result_responses(rd_kafka_event_DeleteAcls_result(event), &results_n);
    int rc = 0;
    for (size_t i = 0; i < results_n && rc == 0; i++)
        if (rd_kafka_DeleteAcls_result_response_error(results[i]))
            rc = err_set(err, ERR_RETRY, "kafka: a right cannot be taken back: %s",
                         rd_kafka_error_string(rd_kafka_DeleteAcls_result_response_error(results[i])));
    rd_kafka_event_destroy(event);
    return rc;
}

static int in_parts(struct kadmin *kadmin, const struct kright *rights, size_t n, struct err *err,
                    int (*act)(struct kadmin *kadmin, const struct kright *rights, size_t n,
                               struct err *err)) {
    for (size_t at = 0; at < n; at += RIGHTS_MAX)
        if (act(kadmin, rights + at, n - at < RIGHTS_MAX ? n - at : RIGHTS_MAX, err) < 0)
            return -1;
    return 0;
}

int kadmin_give(struct kadmin *kadmin, const struct kright *rights, size_t n, struct err *err) {
    return in_parts(kadmin, rights, n, err, give);
}

int kadmin_take(struct kadmin *kadmin, const struct kright *rights, size_t n, struct err *err) {
    return in_parts(kadmin, rights, n, err, take);
}
