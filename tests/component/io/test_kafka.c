/* Kafka as it is: delivery reports, a group that shares, an assignment that reads from the start, and lag. */
#include "base/clock.h"
#include "base/str.h"
#include "io/kadmin.h"
#include "io/kcons.h"
#include "io/kprod.h"
#include "tests/support/service.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <string.h>

static struct broker broker;
static struct kprod *producer;
static struct kadmin *admin;
static int delivered, permanent;

static void reported(void *arg, uint64_t tag, enum kprod_result result, const char *reason) {
    (void)arg, (void)tag;
    delivered += result == KPROD_DELIVERED;
    if (result != KPROD_DELIVERED)
        print_message("not delivered: %s\n", reason);
    permanent += result == KPROD_PERMANENT;
}

static int set_up(void **state) {
    struct err err = {0};
    (void)state;
    delivered = permanent = 0;
    broker = (struct broker){.servers = service("FAIRLEAD_KAFKA"),
                             .ca = service("FAIRLEAD_KAFKA_CA"),
                             .cert = service("FAIRLEAD_KAFKA_TOOLS")};
    producer = kprod_open(&broker, "component", reported, NULL, &err);
    admin = kadmin_open(&broker, "component", &err);
    return producer && admin ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    kprod_close(producer);
    kadmin_close(admin);
    return 0;
}

static void make_topic(char out[64], int partitions, const char *policy) {
    struct err err = {0};
    const char *const settings[] = {policy, "message.timestamp.type=LogAppendTime", NULL};
    service_name("component", out);
    bool made = false;
    assert_int_equal(kadmin_make_topic(admin, out, partitions, settings, &made, &err), 0);
    assert_true(made);
    assert_int_equal(kadmin_make_topic(admin, out, partitions, settings, &made, &err),
                     0); /* one that exists is fine */
    assert_false(made);
}

/* A topic that was made a moment ago is not known to all of the broker yet: its first record may be refused.
 */
static void produce(const char *topic, int partition, const char *value) {
    struct err err = {0};
    int before = delivered;
    for (int64_t until = clock_mono_us() + 20 * CLOCK_S; delivered == before && clock_mono_us() < until;) {
        assert_int_equal(
            kprod_send(producer, topic, partition, "k", 1, value, value ? strlen(value) : 0, NULL, 0, &err),
            0);
        assert_true(kprod_flush(producer, 8000));
    }
    assert_int_equal(delivered, before + 1);
}

static void an_assignment_reads_all_from_the_start(void **state) {
    struct err err = {0};
    char topic[64];
    int n = 0;
    (void)state;
    make_topic(topic, 1, "cleanup.policy=compact");
    produce(topic, 0, "one");
    produce(topic, 0, NULL); /* a tombstone */
    produce(topic, 0, "two");
    assert_int_equal(delivered, 3);
    struct kcons *reader = kcons_open_topics(&broker, "component", (const char *const[]){topic, NULL}, &err);
    assert_false(kcons_has_reached(reader));
    for (int64_t until = clock_mono_us() + 10 * CLOCK_S;
         !kcons_has_reached(reader) && clock_mono_us() < until;) {
        struct kcons_record record = {0};
        if (kcons_poll(reader, 100, &record, &err) != 1)
            continue;
        assert_true(n != 1 || !record.value);
        n++;
        kcons_release(&record);
    }
    assert_int_equal(n, 3);
    kcons_close(reader);
}

static void a_record_that_no_broker_takes_is_permanent(void **state) {
    struct err err = {0};
    char topic[64];
    (void)state;
    make_topic(topic, 1, "cleanup.policy=compact");
    /* A compacted topic wants a key. */
    assert_int_equal(kprod_send(producer, topic, 0, NULL, 0, "x", 1, NULL, 0, &err), 0);
    assert_true(kprod_flush(producer, 8000));
    assert_int_equal(permanent, 1);
    static char large[3000000];
    memset(large, 'x', sizeof large);
    assert_int_equal(kprod_send(producer, topic, 0, "k", 1, large, sizeof large, NULL, 0, &err), -1);
    assert_int_equal(err.cls, ERR_PARK);
    assert_int_equal(kprod_send_result(producer), KPROD_PERMANENT);
}

static bool read_one(struct kcons *reader, struct kcons_record *ret) {
    struct err err = {0};
    for (int64_t until = clock_mono_us() + 40 * CLOCK_S; clock_mono_us() < until;)
        if (kcons_poll(reader, 100, ret, &err) == 1)
            return true;
    return false;
}

/* An agent's plane and its tenants: nothing is acted on before all of them were read. */
static void several_topics_are_reached_together(void **state) {
    struct err err = {0};
    char one[64], two[64], none[64];
    (void)state;
    make_topic(one, 1, "cleanup.policy=compact");
    make_topic(two, 1, "cleanup.policy=compact");
    make_topic(none, 1, "cleanup.policy=compact");
    for (int i = 0; i < 3; i++) {
        produce(one, 0, "of one");
        produce(two, 0, "of two");
    }
    const char *const topics[] = {one, two, none, NULL};
    struct kcons *reader = kcons_open_topics(&broker, "component", topics, &err);
    for (int n = 0; n < 6; n++) {
        struct kcons_record record = {0};
        assert_false(kcons_has_reached(reader));
        assert_true(read_one(reader, &record));
        assert_memory_equal(record.value, strcmp(record.topic, one) == 0 ? "of one" : "of two", 6);
        kcons_release(&record);
    }
    assert_true(kcons_has_reached(reader));
    kcons_close(reader);
    reader =
        kcons_open_topics(&broker, "component", (const char *const[]){one, "fairlead.no.such", NULL}, &err);
    assert_true(reader && kcons_is_incomplete(reader)); /* a tenant that is gone does not stop its plane */
    for (int n = 0; n < 3; n++) {
        struct kcons_record record = {0};
        assert_true(read_one(reader, &record));
        kcons_release(&record);
    }
    assert_true(kcons_has_reached(reader));
    kcons_close(reader);
    assert_null(
        kcons_open_topics(&broker, "component", (const char *const[]){"fairlead.no.such", one, NULL}, &err));
}

static void a_group_goes_on_behind_what_was_done_and_knows_its_lag(void **state) {
    struct err err = {0};
    char topic[64], group[64];
    struct kcons_record record = {0};
    int64_t lag = -1;
    (void)state;
    make_topic(topic, 2, "cleanup.policy=delete");
    service_name("component-group", group);
    const char *const topics[] = {topic, NULL};
    produce(topic, 0, "a");
    produce(topic, 0, "b");
    assert_int_equal(kcons_group_lag(&broker, group, topic, 2, &lag, &err), 0);
    assert_int_equal(lag, 2);
    struct kcons *reader = kcons_open_group(&broker, "component", group, topics, &err);
    assert_true(read_one(reader, &record));
    assert_memory_equal(record.value, "a", 1);
    assert_int_equal(record.assignment, kcons_assignment(reader));
    assert_true(kcons_holds(reader, topic, 0));
    kcons_done(reader, record.topic, record.partition, record.offset, record.assignment);
    kcons_release(&record);
    kcons_close(reader); /* commits what was done */
    assert_int_equal(kcons_group_lag(&broker, group, topic, 2, &lag, &err), 0);
    assert_int_equal(lag, 1);
    reader = kcons_open_group(&broker, "component", group, topics, &err);
    assert_true(read_one(reader, &record));
    assert_memory_equal(record.value, "b", 1); /* not done before: it comes again */
    kcons_release(&record);
    kcons_close(reader);
}

static int held(struct kcons *reader, const char *topic) {
    return kcons_holds(reader, topic, 0) + kcons_holds(reader, topic, 1);
}

/* Polls until each of the two holds so many of the topic's two partitions. */
static bool share(struct kcons *first, int of_first, struct kcons *second, int of_second, const char *topic) {
    struct err err = {0};
    struct kcons_record record = {0};
    for (int64_t until = clock_mono_us() + 30 * CLOCK_S; clock_mono_us() < until;) {
        if (kcons_poll(first, 50, &record, &err) == 1)
            kcons_release(&record);
        if (second && kcons_poll(second, 50, &record, &err) == 1)
            kcons_release(&record);
        if (held(first, topic) == of_first && (!second || held(second, topic) == of_second))
            return true;
    }
    return false;
}

static void a_second_member_takes_its_share(void **state) {
    struct err err = {0};
    char topic[64], group[64];
    (void)state;
    make_topic(topic, 2, "cleanup.policy=delete");
    service_name("component-group", group);
    const char *const topics[] = {topic, NULL};
    struct kcons *first = kcons_open_group(&broker, "first", group, topics, &err);
    assert_true(share(first, 2, NULL, 0, topic));
    struct kcons *second = kcons_open_group(&broker, "second", group, topics, &err);
    assert_true(share(first, 1, second, 1, topic));
    kcons_close(second);
    kcons_close(first);
}

static void take(struct kcons *reader, uint32_t partitions) {
    struct err err = {0};
    assert_int_equal(kcons_take(reader, partitions, &err), 0);
}

static void a_share_reads_what_it_takes_and_goes_on_behind_what_was_done(void **state) {
    struct err err = {0};
    char topic[64], group[64];
    struct kcons_record record = {0}, late = {0};
    int64_t lag = 0;
    (void)state;
    make_topic(topic, 2, "cleanup.policy=delete");
    service_name("component-group", group);
    produce(topic, 0, "a");
    produce(topic, 1, "b");
    struct kcons *first = kcons_open_share(&broker, "first", group, topic, &err);
    struct kcons *second = kcons_open_share(&broker, "second", group, topic, &err);
    take(first, 1 << 0);
    take(second, 1 << 1);
    assert_true(read_one(first, &record));
    assert_memory_equal(record.value, "a", 1);
    kcons_done(first, record.topic, record.partition, record.offset, record.assignment);
    kcons_release(&record);
    assert_true(read_one(second, &late));
    assert_memory_equal(late.value, "b", 1);
    take(second, 0); /* hands it over with that in hand */
    take(first, 1 << 0 | 1 << 1);
    assert_true(read_one(first, &record)); /* not "a" again: its offset was committed before */
    assert_memory_equal(record.value, "b", 1);
    kcons_done(second, late.topic, late.partition, late.offset, late.assignment); /* says nothing any more */
    kcons_release(&late);
    kcons_release(&record);
    kcons_close(second);
    kcons_close(first);
    assert_int_equal(kcons_group_lag(&broker, group, topic, 2, &lag, &err), 0);
    assert_int_equal(lag, 1);
}

/* Another member comes and goes: partitions are taken from both and given again. */
static void disturb(struct kcons *reader, const char *group, const char *const *topics) {
    struct err err = {0};
    struct kcons_record record = {0};
    unsigned before = kcons_assignment(reader);
    struct kcons *other = kcons_open_group(&broker, "other", group, topics, &err);
    for (int64_t until = clock_mono_us() + 30 * CLOCK_S;
         kcons_assignment(reader) == before && clock_mono_us() < until;) {
        if (kcons_poll(other, 50, &record, &err) == 1)
            kcons_release(&record);
        assert_int_equal(kcons_poll(reader, 50, &record, &err), 0);
    }
    assert_true(kcons_assignment(reader) != before);
    kcons_close(other);
}

static void a_new_assignment_starts_unpaused_and_takes_no_offset_of_the_old_one(void **state) {
    struct err err = {0};
    char topic[64], group[64];
    struct kcons_record record = {0}, again = {0};
    (void)state;
    make_topic(topic, 1, "cleanup.policy=delete");
    service_name("component-group", group);
    const char *const topics[] = {topic, NULL};
    produce(topic, 0, "a");
    struct kcons *reader = kcons_open_group(&broker, "component", group, topics, &err);
    assert_true(read_one(reader, &record));
    kcons_pause(reader, record.topic, record.partition); /* in hand, while the partition is taken away */
    disturb(reader, group, topics);
    assert_true(read_one(reader, &again));
    assert_int_equal(again.offset, record.offset); /* not done: it comes again, though nobody resumed */
    kcons_done(reader, record.topic, record.partition, record.offset, record.assignment);
    kcons_release(&again);
    kcons_release(&record);
    kcons_close(reader);
    int64_t lag = 0;
    assert_int_equal(kcons_group_lag(&broker, group, topic, 1, &lag, &err), 0);
    assert_int_equal(lag, 1);
}

static void delete_topic(const char *topic) {
    char text[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char *const settings[][2] = {{"bootstrap.servers", broker.servers},
                                       {"security.protocol", "ssl"},
                                       {"ssl.ca.location", broker.ca},
                                       {"ssl.certificate.location", broker.cert},
                                       {"ssl.key.location", broker.cert}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        assert_int_equal(rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text),
                         RD_KAFKA_CONF_OK);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopic_t *gone = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_DeleteTopics(rk, &gone, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 10000);
    assert_non_null(event);
    assert_int_equal(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteTopic_destroy(gone);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

/* The leader of a group shares out what it sees while the topic is gone: nothing. */
static void a_group_that_met_while_its_topic_was_gone_reads_it_again(void **state) {
    struct err err = {0};
    char topic[64], group[64];
    const char *const settings[] = {"cleanup.policy=delete", NULL};
    (void)state;
    make_topic(topic, 2, settings[0]);
    service_name("component-group", group);
    const char *const topics[] = {topic, NULL};
    struct kcons *reader = kcons_open_group(&broker, "component", group, topics, &err);
    assert_true(share(reader, 2, NULL, 0, topic));
    struct kcons *other = kcons_open_group(&broker, "other", group, topics, &err);
    assert_true(share(reader, 1, other, 1, topic));
    delete_topic(topic);
    kcons_close(other);
    assert_true(share(reader, 0, NULL, 0, topic));
    bool made = false;
    assert_int_equal(kadmin_make_topic(admin, topic, 2, settings, &made, &err), 0);
    assert_true(made);
    produce(topic, 0, "b");
    struct kcons_record record = {0};
    assert_true(read_one(reader, &record));
    assert_memory_equal(record.value, "b", 1);
    kcons_release(&record);
    kcons_close(reader); /* ends, though a topic of it was gone */
}

static bool was_remade(const struct kcons *reader) {
    struct err err = {0};
    bool remade = false;
    assert_int_equal(kcons_was_remade(reader, &broker, &remade, &err), 0);
    return remade;
}

static void read_all(struct kcons *reader, int n) {
    struct kcons_record record = {0};
    for (; n; n--) {
        assert_true(read_one(reader, &record));
        kcons_release(&record);
    }
}

/* Made again between two fetches, and longer than what had been read: its first records would be skipped. */
static void a_topic_that_was_made_again_is_told(void **state) {
    struct err err = {0};
    char topic[64];
    const char *const settings[] = {"cleanup.policy=compact", "message.timestamp.type=LogAppendTime", NULL};
    (void)state;
    make_topic(topic, 1, settings[0]);
    struct kcons *reader = kcons_open_topics(&broker, "component", (const char *const[]){topic, NULL}, &err);
    assert_false(was_remade(reader)); /* nothing was read yet */
    produce(topic, 0, "one");
    produce(topic, 0, "two");
    read_all(reader, 2);
    assert_false(was_remade(reader));
    produce(topic, 0, "three");
    assert_false(was_remade(reader)); /* what is not read yet comes */
    read_all(reader, 1);
    delete_topic(topic);
    bool made = false;
    for (int64_t until = clock_mono_us() + 20 * CLOCK_S; !made && clock_mono_us() < until;)
        (void)!kadmin_make_topic(admin, topic, 1, settings, &made, &err);
    assert_true(made);
    for (int i = 0; i < 5; i++)
        produce(topic, 0, "again");
    assert_true(was_remade(reader));
    kcons_close(reader);
}

/* The library would only say so when it connects, again and again. */
static void a_file_that_is_not_there_is_named(void **state) {
    struct err err = {0};
    struct broker tls = {.servers = broker.servers, .ca = "/nowhere/ca.pem"};
    (void)state;
    assert_null(kprod_open(&tls, "component", NULL, NULL, &err));
    assert_int_equal(err.cls, ERR_PARK);
    assert_non_null(strstr(err.text, "/nowhere/ca.pem"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_assignment_reads_all_from_the_start),
        TEST(several_topics_are_reached_together),
        TEST(a_record_that_no_broker_takes_is_permanent),
        TEST(a_group_goes_on_behind_what_was_done_and_knows_its_lag),
        TEST(a_second_member_takes_its_share),
        TEST(a_share_reads_what_it_takes_and_goes_on_behind_what_was_done),
        TEST(a_new_assignment_starts_unpaused_and_takes_no_offset_of_the_old_one),
        TEST(a_group_that_met_while_its_topic_was_gone_reads_it_again),
        TEST(a_topic_that_was_made_again_is_told),
        TEST(a_file_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
