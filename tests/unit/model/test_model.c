/* The grammars, placement and the Compose file. */
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/labels.h"
#include "model/names.h"
#include "model/place.h"
#include "model/render.h"
#include "model/tables.h"
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

static void names_follow_their_grammar(void **state) {
    static const char *const good[] = {"a", "shop", "a-b", "x1", "abcdefghijklmnopqrst", NULL};
    static const char *const bad[] = {
        "",    "1a",  "-a",       "a-", "A", "a_b", "a.b", "a b", "abcdefghijklmnopqrstu",
        "a/b", "a\n", "\xc3\xa4", NULL};
    (void)state;
    for (const char *const *s = good; *s; s++)
        assert_true(name_is_valid(*s));
    for (const char *const *s = bad; *s; s++)
        if (name_is_valid(*s))
            fail_msg("accepted \"%s\"", *s);
    assert_true(name_is_ref("release/1.0"));
    assert_false(name_is_ref("-upload-pack=x"));
    assert_false(name_is_ref("a..b"));
    assert_false(name_is_ref("@{x}"));
    assert_false(name_is_path("../etc"));
    assert_false(name_is_path("/etc"));
    assert_false(name_is_path("a/-x"));
    assert_true(name_is_https_or_path("https://git.example.org/a/b.git"));
    assert_false(name_is_https_or_path("ext::sh"));
    assert_false(name_is_https_or_path("https://-x"));
    assert_false(name_is_https_or_path("file:///etc"));
    assert_true(name_is_domain("apps.localhost"));
    assert_false(name_is_domain("localhost"));
    assert_false(name_is_domain("a..b"));
    assert_false(name_is_image("x@sha256:short"));
    assert_true(name_is_loopback("127.0.0.1:9092,localhost:9093"));
    assert_false(name_is_loopback("127.0.0.1:9092,10.0.0.1:9092"));
    assert_false(name_is_loopback("127.evil.example:9092"));
    assert_true(name_is_loopback("[::1]:9092"));
    assert_false(name_is_loopback("[::1]:|"));
    assert_false(name_is_loopback("localhost:"));
    assert_false(name_is_loopback("127.0.0.1"));
    assert_false(name_is_loopback(""));
}

static struct node host(const char *name, int64_t memory, bool edge) {
    return (struct node){.name = name,
                         .roles = ROLE_HOST | (edge ? ROLE_EDGE : 0),
                         .ready = true,
                         .cpu_milli = 1000,
                         .memory_mb = memory,
                         .disk_mb = 1000,
                         .port_low = 20000,
                         .port_high = 20001};
}

static void placement_never_gives_away_what_it_has_not(void **state) {
    struct arena arena = {0};
    struct node nodes[] = {host("edge", 300, true), host("slave", 300, false)};
    struct instance waiting = {.memory_mb = 100, .cpu_milli = 100, .disk_mb = 10};
    (void)state;
    struct placement first = place(nodes, 2, &waiting, &arena);
    assert_ptr_equal(first.host, &nodes[1]); /* the one with fewer duties */
    assert_ptr_equal(first.edge, &nodes[0]);
    for (int i = 0; i < 3; i++)
        assert_non_null(place(nodes, 2, &waiting, &arena).host);
    /* Four ports were there in all. */
    struct placement none = place(nodes, 2, &waiting, &arena);
    assert_null(none.host);
    assert_string_equal(none.reason, "No free port is left on any node of this plane.");
    assert_true(nodes[0].memory_used <= 300 && nodes[1].memory_used <= 300);
    waiting.memory_mb = 1000;
    assert_non_null(strstr(place(nodes, 2, &waiting, &arena).reason, "Not enough memory: 1000 MB"));
    arena_release(&arena);
}

/* What is required is hard; what is preferred chooses among those. */
static void an_instance_runs_where_its_labels_are(void **state) {
    struct arena arena = {0};
    struct node nodes[] = {host("edge", 9000, true), host("far", 300, false), host("near", 300, false)};
    struct instance waiting = {.memory_mb = 10, .cpu_milli = 10, .disk_mb = 1, .requires = "region=eu"};
    (void)state;
    nodes[0].labels = "region=mars,disk=ssd";
    nodes[1].labels = "disk=hdd,region=eu";
    nodes[2].labels = "region=eu,disk=ssd";
    assert_string_equal(place(nodes, 3, &waiting, &arena).host->name,
                        "far"); /* of equals the first by name */
    waiting.prefers = "disk=ssd,rack=7";
    assert_string_equal(place(nodes, 3, &waiting, &arena).host->name, "near");
    waiting.requires = NULL;
    waiting.prefers = NULL;
    assert_string_equal(place(nodes, 3, &waiting, &arena).host->name, "edge");
    waiting.requires = "region=eu,disk=tape";
    struct placement none = place(nodes, 3, &waiting, &arena);
    assert_null(none.host);
    assert_string_equal(none.reason, "No node of this plane has what is required: region=eu,disk=tape.");
    waiting.requires = "region=e"; /* a part of a label is another */
    assert_null(place(nodes, 3, &waiting, &arena).host);
    arena_release(&arena);
}

static void a_label_is_a_key_and_a_value(void **state) {
    (void)state;
    assert_true(label_is_valid("region=eu-central.1"));
    assert_true(label_is_valid("gpu=0"));
    static const char *const bad[] = {"",
                                      "region",
                                      "=eu",
                                      "region=",
                                      "Region=eu",
                                      "region=EU",
                                      "1a=b",
                                      "a=b=c",
                                      "a=b,c=d",
                                      "a= b",
                                      "a=0123456789012345678901234567890"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(label_is_valid(bad[i]));
}

static void a_port_is_the_lowest_that_no_range_holds(void **state) {
    struct arena arena = {0};
    struct node node = host("edge", 900, true);
    struct instance waiting = {.memory_mb = 100, .cpu_milli = 100, .disk_mb = 10};
    (void)state;
    node.port_high = 20009;
    node.ports = (const struct ports[]){{19990, 20001}, {20003, 20006}, {20008, 20008}};
    node.ports_n = 3;
    assert_int_equal(place(&node, 1, &waiting, &arena).port, 20002);
    assert_int_equal(place(&node, 1, &waiting, &arena).port, 20007);
    assert_int_equal(place(&node, 1, &waiting, &arena).port, 20009);
    assert_null(place(&node, 1, &waiting, &arena).host);
    arena_release(&arena);
}

static void nothing_is_placed_on_a_node_that_is_silent(void **state) {
    struct arena arena = {0};
    struct node nodes[] = {host("edge", 300, true), host("slave", 900, false)};
    struct instance waiting = {.memory_mb = 100, .cpu_milli = 100, .disk_mb = 10};
    (void)state;
    nodes[1].health = "unknown"; /* though it has the most room */
    assert_ptr_equal(place(nodes, 2, &waiting, &arena).host, &nodes[0]);
    nodes[1].roles |= ROLE_PROBER; /* it is given once: better a silent one than none */
    assert_ptr_equal(place(nodes, 2, &waiting, &arena).prober, &nodes[1]);
    nodes[0].health = "unknown";
    struct placement none = place(nodes, 2, &waiting, &arena);
    assert_null(none.host);
    assert_non_null(strstr(none.reason, "not heard of"));
    arena_release(&arena);
}

/* ---- the Compose file (F3) ---- */

static const char spec_text[] =
    "{\"services\":{\"web\":{\"image\":\"web\",\"memory_share\":100,\"cpu_share\":100,\"caps\":[]}},"
    "\"secrets\":{\"token\":{\"readers\":"
    "[{\"service\":\"web\",\"uid\":10}]}},\"health\":{\"service\":\"web\",\"port\":8080}}";
static const char template_text[] =
    "services:\n  web:\n    user: \"10\"\n    environment: {TITLE: \"{{inputs.title}}\", ID: "
    "\"{{identity}}\"}\n"
    "    volumes: [\"store:/store\"]\n    healthcheck: {test: [\"CMD\", \"/h\"], retries: 3}\n";

static const char *edge_address = "127.0.0.10", *letter = SET_FIRST, *copy, *spec_of = spec_text;
static uint32_t pids = 99;

static char *render(const char *title, const char *template, struct err *err) {
    Fairlead__V1__KeyValue input = FAIRLEAD__V1__KEY_VALUE__INIT, image = FAIRLEAD__V1__KEY_VALUE__INIT;
    Fairlead__V1__KeyValue *inputs[] = {&input}, *images[] = {&image};
    Fairlead__V1__Stack stack = FAIRLEAD__V1__STACK__INIT;
    Fairlead__V1__KeyValue mounted = FAIRLEAD__V1__KEY_VALUE__INIT, *copies[] = {&mounted};
    char key[] = "title", image_key[] = "web", volume[] = "store", identity[] = "abc",
         address[] = "127.0.0.3", host[] = "app.example.org";
    char digest[] =
        "fairlead/app-web@sha256:0000000000000000000000000000000000000000000000000000000000000000";
    cleanup_json json_t *spec = json_loads(spec_of, 0, NULL);
    cleanup_json json_t *json = NULL;
    char *text = NULL;
    input.key = key;
    input.value = (char *)(uintptr_t)title;
    image.key = image_key;
    image.value = digest;
    stack.template_ = (char *)(uintptr_t) template;
    stack.identity = identity;
    stack.address = address;
    stack.text = host;
    stack.edge_address = (char *)(uintptr_t)edge_address;
    stack.port = 20000;
    stack.memory_mb = 100;
    stack.cpu_milli = 500;
    stack.pids = pids;
    stack.n_inputs = stack.n_images = 1;
    mounted.key = volume;
    mounted.value = (char *)(uintptr_t)copy;
    stack.n_copies = copy ? 1 : 0;
    stack.copies = copies;
    stack.inputs = inputs;
    stack.images = images;
    struct render_input in = {.stack = &stack,
                              .spec = spec,
                              .instance = "0123456789abcdef0123456789abcdef",
                              .node = "fedcba9876543210fedcba9876543210",
                              .letter = letter,
                              .revision = 7,
                              .generation = 3,
                              .registry = "127.0.0.1:5000",
                              .secrets_dir = "/run/secrets/i"};
    return render_compose(&in, &json, &text, err) == 0 ? text : NULL;
}

/* Whoever signs: what an instance is to have is the whole, and its services share it. */
static void services_share_what_the_instance_has(void **state) {
    static const char *const greedy[] = {
        "{\"services\":{\"web\":{\"image\":\"web\",\"memory_share\":101,\"cpu_share\":1}}}",
        "{\"services\":{\"web\":{\"image\":\"web\",\"memory_share\":1,\"cpu_share\":100000}}}",
        "{\"services\":{\"web\":{\"image\":\"web\",\"memory_share\":-1,\"cpu_share\":1}}}",
        "{\"services\":{\"web\":{\"image\":\"web\",\"memory_share\":60,\"cpu_share\":1},"
        "\"db\":{\"image\":\"web\",\"memory_share\":60,\"cpu_share\":1}}}",
    };
    static const char plain
        [] = "services:\n  web:\n    user: \"10\"\n    healthcheck: {test: [\"CMD\", \"/h\"]}\n",
   two[] =
        "services:\n  web:\n    user: \"10\"\n    healthcheck: {test: [\"CMD\", \"/h\"]}\n  db:\n    user: "
        "\"10\"\n    healthcheck: {test: [\"CMD\", \"/h\"]}\n";
    struct err err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof greedy / sizeof *greedy; i++) {
        spec_of = greedy[i];
        err = (struct err){0};
        assert_null(render("x", strstr(greedy[i], "db") ? two : plain, &err));
        if (!strstr(err.text, "more than the instance"))
            fail_msg("%zu: %s", i, err.text);
    }
    spec_of = "{\"services\":{\"web\":{\"image\":\"web\",\"memory_share\":100,\"cpu_share\":100}}}";
    pids = 0; /* the Engine takes it as any number */
    assert_null(render("x", plain, &err));
    pids = 99;
    cleanup_free char *good = render("x", plain, &err);
    spec_of = spec_text;
    assert_non_null(good);
}

static void rendering_is_the_same_bytes_for_the_same_input(void **state) {
    struct err err = {0};
    (void)state;
    cleanup_free char *a = render("Title", template_text, &err);
    cleanup_free char *b = render("Title", template_text, &err);
    assert_non_null(a);
    assert_string_equal(a, b);
    assert_non_null(strstr(a, "\"no-new-privileges:true\""));
    assert_non_null(strstr(a, "\"ALL\""));
    assert_non_null(strstr(a, "\"127.0.0.3:20000:8080\""));
    assert_non_null(strstr(a, "pids_limit: 99"));
}

/* It calls itself under its public name: sign-in, webhooks. */
static void an_app_knows_the_way_to_its_own_name(void **state) {
    struct err err = {0};
    (void)state;
    edge_address = "192.0.2.7";
    cleanup_free char *far = render("Title", template_text, &err);
    edge_address = "127.0.0.10"; /* would be the container itself */
    cleanup_free char *loopback = render("Title", template_text, &err);
    assert_non_null(strstr(far, "\"app.example.org:192.0.2.7\""));
    assert_null(strstr(loopback, "extra_hosts"));
}

/* What runs was made by names without letter and copy: they stay what they were. */
static void a_second_set_has_names_of_its_own(void **state) {
    static const char node[] = "fedcba9876543210fedcba9876543210",
                      instance[] = "0123456789abcdef0123456789abcdef";
    struct err err = {0};
    struct arena arena = {0};
    (void)state;
    cleanup_free char *first = render("Title", template_text, &err);
    letter = "b";
    copy = "2";
    cleanup_free char *second = render("Title", template_text, &err);
    letter = SET_FIRST;
    copy = NULL;
    assert_null(strstr(first, "fairlead.set"));
    assert_non_null(strstr(first, "fl-0123456789abcdef0123456789abcdef-store\""));
    assert_non_null(strstr(second, "fairlead.set: \"b\""));
    assert_non_null(strstr(second, "fl-0123456789abcdef0123456789abcdef-store.2\""));
    assert_string_equal(render_project(&arena, node, instance, "a"),
                        "fl-dcba9876-0123456789abcdef0123456789abcdef-a");
    assert_string_equal(render_project(&arena, node, instance, "b"),
                        "fl-dcba9876-0123456789abcdef0123456789abcdef-b");
    arena_release(&arena);
}

/* A copy goes only by a document that mounts it: what another set stands on is not this one's to remove. */
static void a_stack_mounts_its_own_copies_only(void **state) {
    static const char instance[] = "0123456789abcdef0123456789abcdef",
                      first[] = "fl-0123456789abcdef0123456789abcdef-data",
                      other[] = "fl-0123456789abcdef0123456789abcdef-data.2",
                      far[] = "fl-1123456789abcdef0123456789abcdef-data";
    char key[] = "data", value[] = "2";
    Fairlead__V1__KeyValue pair = FAIRLEAD__V1__KEY_VALUE__INIT, *pairs[] = {&pair};
    Fairlead__V1__Stack a = FAIRLEAD__V1__STACK__INIT, b = FAIRLEAD__V1__STACK__INIT;
    (void)state;
    pair.key = key;
    pair.value = value;
    b.n_copies = 1;
    b.copies = pairs;
    assert_true(render_mounts(&a, instance, first));
    assert_false(render_mounts(&a, instance, other));
    assert_false(render_mounts(&b, instance, first));
    assert_true(render_mounts(&b, instance, other));
    assert_false(render_mounts(&a, instance, far));
}

/* P21, F3: whatever a customer types stays one scalar. */
static void a_hostile_value_adds_no_key(void **state) {
    static const char *const hostile[] = {"x\nprivileged: true",
                                          "x\"\n    privileged: true",
                                          "${HOME}",
                                          "$(id)",
                                          "{{identity}}",
                                          "&a *a",
                                          "!!python/object",
                                          "'; rm -rf /",
                                          "- a\n- b",
                                          "\t",
                                          "# no",
                                          "%YAML 1.1\n---",
                                          NULL};
    struct err err = {0};
    (void)state;
    cleanup_free char *plain = render("x", template_text, &err);
    size_t lines = 0;
    for (const char *p = plain; *p; p++)
        lines += *p == '\n';
    for (const char *const *h = hostile; *h; h++) {
        cleanup_free char *text = render(*h, template_text, &err);
        assert_non_null(text);
        size_t n = 0;
        for (const char *p = text; *p; p++)
            n += *p == '\n';
        assert_int_equal(n, lines);
        assert_null(strstr(text, "\n    privileged"));
        /* No dollar stands alone: Compose would read it as a variable. */
        for (const char *p = strchr(text, '$'); p; p = strchr(p + 2, '$'))
            assert_int_equal(p[1], '$');
    }
}

static void refuses_template(const char *service, const char *reason) {
    struct err err = {0};
    cleanup_str struct str text = STR_INIT(2000);
    str_addf(&text, "services:\n  web:\n    healthcheck: {test: [\"CMD\", \"/h\"]}\n%s", service);
    char *rendered = render("x", str_text(&text), &err);
    if (rendered)
        fail_msg("accepted: %s", service);
    if (!strstr(err.text, reason))
        fail_msg("\"%s\" does not say \"%s\"", err.text, reason);
}

/* P20: what a template may not ask for, whoever signed it. */
static void a_template_that_asks_for_more_is_refused(void **state) {
    static const char *const keys[] = {"privileged",   "cap_add",
                                       "pid",          "ipc",
                                       "network_mode", "devices",
                                       "security_opt", "userns_mode",
                                       "sysctls",      "extends",
                                       "env_file",     "build",
                                       "image",        "ports",
                                       "labels",       "secrets",
                                       "configs",      "container_name",
                                       "volumes_from", "cgroup_parent",
                                       "entrypoint",   "links",
                                       "extra_hosts",  "logging",
                                       "restart",      NULL};
    (void)state;
    for (const char *const *k = keys; *k; k++) {
        char line[100];
        (void)snprintf(line, sizeof line, "    user: \"10\"\n    %s: x\n", *k);
        refuses_template(line, "is not allowed here");
    }
    refuses_template("    user: \"0\"\n", "never root");
    refuses_template("    user: root\n", "never root");
    refuses_template("    user: \"10\"\n    volumes: [\"/etc:/etc\"]\n", "the name of a volume");
    refuses_template("    user: \"10\"\n    volumes: [\"../x:/x\"]\n", "the name of a volume");
    refuses_template("    user: \"10\"\n    volumes: [\"a:/b:rw,bind\"]\n", "NAME:/PATH");
    refuses_template("    user: \"10\"\n    environment: {A: \"{{inputs.other}}\"}\n",
                     "is no value of this app");
    refuses_template("    user: \"10\"\n  other:\n    user: \"10\"\n", "is not in app.yaml");
}

/* Identities of instances begin with the time and end alike: one edge had everybody, and so had one prober.
 */
static void instances_are_spread_over_edges_and_probers(void **state) {
    struct arena arena = {0};
    struct node nodes[4];
    int edges[4] = {0}, probers[4] = {0};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        nodes[i] = host((const char *const[]){"a", "b", "c", "d"}[i], 1000000, true);
        nodes[i].roles |= ROLE_PROBER;
        nodes[i].port_high = 29999;
    }
    for (int k = 0; k < 400; k++) {
        struct instance waiting = {.id = uuid_derive(uuid_seed(1000000000 + k * 1000), 1), .memory_mb = 1};
        struct placement placed = place(nodes, 4, &waiting, &arena);
        assert_non_null(placed.host);
        edges[placed.edge - nodes]++;
        probers[placed.prober - nodes]++;
    }
    for (size_t i = 0; i < 4; i++) {
        assert_in_range(edges[i], 50, 150);
        assert_in_range(probers[i], 50, 150);
    }
    arena_release(&arena);
}

static void a_duration_has_one_meaning(void **state) {
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } cases[] = {{"30s", 30000}, {"1m30s", 90000}, {"500ms", 500},   {"1h", 3600000}, {"0s", 0},
                 {"90", -1},     {"1d", -1},       {"", -1},         {"s", -1},       {"1s1m", -1},
                 {"1.5s", -1},   {"-1s", -1},      {"1s ", -1},      {"61m", -1},     {"1s1s", -1},
                 {"1hm", -1},    {NULL, -1},       {"99999999s", -1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = -1;
        assert_int_equal(name_is_duration(cases[i].text, &ms), cases[i].ms >= 0);
        assert_int_equal(ms, cases[i].ms);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_follow_their_grammar),
        cmocka_unit_test(a_port_is_the_lowest_that_no_range_holds),
        cmocka_unit_test(an_instance_runs_where_its_labels_are),
        cmocka_unit_test(a_label_is_a_key_and_a_value),
        cmocka_unit_test(nothing_is_placed_on_a_node_that_is_silent),
        cmocka_unit_test(placement_never_gives_away_what_it_has_not),
        cmocka_unit_test(services_share_what_the_instance_has),
        cmocka_unit_test(rendering_is_the_same_bytes_for_the_same_input),
        cmocka_unit_test(an_app_knows_the_way_to_its_own_name),
        cmocka_unit_test(a_second_set_has_names_of_its_own),
        cmocka_unit_test(a_stack_mounts_its_own_copies_only),
        cmocka_unit_test(a_hostile_value_adds_no_key),
        cmocka_unit_test(a_template_that_asks_for_more_is_refused),
        cmocka_unit_test(instances_are_spread_over_edges_and_probers),
        cmocka_unit_test(a_duration_has_one_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
