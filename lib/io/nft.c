#include "base/clock.h"
#include "base/mem.h"
#include "base/proc.h"
#include "io/nft_own.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define LISTING_MAX (4 * 1024 * 1024)

/* What a script takes away was listed before: nobody else of this program writes in between. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void table_of(const struct nft_guard *guard, char out[40]) {
    /* Identities begin with the time: what tells two nodes apart stands later. */
    (void)snprintf(out, 40, "fairlead_%.8s", guard->node + 18);
}

static int run_script(const struct str *script, struct err *err) {
    const char *const argv[] = {"nft", "-f", "-", NULL};
    struct proc proc = {
        .argv = argv, .input = str_text(script), .input_n = script->n, .timeout_us = 20 * CLOCK_S};
    return proc_check(&proc, ERR_RETRY, err);
}

/* The whole table as nft shows it: a list of objects (libnftables-json(5)); NULL: there is none. */
static json_t *list_table(const char *table) {
    const char *const argv[] = {"nft", "-j", "-n", "list", "table", "ip", table, NULL};
    cleanup_str struct str out = STR_INIT(LISTING_MAX);
    struct proc proc = {.argv = argv, .timeout_us = 20 * CLOCK_S, .out = &out};
    if (proc_run(&proc, NULL) < 0 || proc.status != 0)
        return NULL;
    cleanup_json json_t *all = json_loadb(str_text(&out), out.n, 0, NULL);
    return json_incref(json_object_get(all, "nftables"));
}

/* The first object of this kind ("set", "chain", "rule") whose `key` is `value`; NULL: none. */
static const json_t *find(const json_t *listing, const char *kind, const char *key, const char *value) {
    size_t i;
    json_t *one;
    json_array_foreach(listing, i, one) {
        const json_t *object = json_object_get(one, kind);
        if (object && str_eq(json_str(object, key), value))
            return object;
    }
    return NULL;
}

static const json_t *elements_of(const json_t *listing, const char *set) {
    return json_object_get(find(listing, "set", "name", set), "elem");
}

static bool has_element(const json_t *listing, const char *set, const json_t *element) {
    size_t i;
    json_t *one;
    json_array_foreach(elements_of(listing, set), i, one) {
        if (json_equal(one, element))
            return true;
    }
    return false;
}

static bool is_on_this_machine(const char *address) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return inet_pton(AF_INET, address, &at.sin_addr) == 1 && fd >= 0 &&
           bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
}

/* -1: there is no such user. */
static long uid_of(const char *user) {
    struct passwd entry, *found = NULL;
    char buf[4096];
    return getpwnam_r(user, &entry, buf, sizeof buf, &found) == 0 && found ? (long)found->pw_uid : -1;
}

/* Rules are known by their comments. "mangle" comes before DNAT; docker-proxy, which is root, carries what
 * comes from loopback. What is of an app is known by its address, too: its bridge has a name only when it is
 * there. */
static const struct {
    const char *chain, *rule, *comment;
} rules[] = {
    {"pre", "ip daddr . tcp dport @ports ip saddr . ip daddr . tcp dport != @edges drop",
     "a port admits its edge"},
    {"out", "ip daddr . tcp dport @ports ip saddr . ip daddr . tcp dport != @edges drop",
     "a port admits its edge, from here too"},
    {"out", "ip daddr . tcp dport @ports meta skuid != @users drop", "and only who it runs as"},
    {"out", "oifname @bridges meta skuid != 0 ct status & dnat == 0 ct direction original drop",
     "a container is reached by its port"},
    {"through", "iifname != \"br-*\" oifname @bridges ct status & dnat == 0 ct direction original drop",
     "a container is reached by its port, from elsewhere"},
    {"in", "iifname @bridges jump app_in", "of an app, to this machine"},
    {"in", "iifname \"br-*\" ip saddr @apps jump app_in", "of an app by its address, to this machine"},
    {"through", "iifname @bridges jump app_out", "of an app, elsewhere"},
    {"through", "iifname \"br-*\" ip saddr @apps jump app_out", "of an app by its address, elsewhere"},
    {"app_in", "ct state established,related accept", "an app answers this machine"},
    {"app_in", "ip daddr . tcp dport @doors accept", "an app reaches its edge"},
    {"app_in", "meta l4proto { tcp, udp } th dport 53 accept", "an app asks for names"},
    {"app_in", "reject with icmp type admin-prohibited", "an app reaches nothing else of this machine"},
    {"app_out", "ct state established,related accept", "an app answers"},
    {"app_out", "ip daddr . tcp dport @doors accept", "an app reaches its edge on another machine"},
    {"app_out", "ip daddr @resolvers meta l4proto { tcp, udp } th dport 53 accept",
     "an app asks this machine's resolvers for names"},
    {"app_out", "ip daddr @apps accept",
     "what stays on a bridge may be seen here; between bridges stands Docker"},
    {"app_out", "ip daddr @closed reject with icmp type admin-prohibited",
     "an app reaches no closed network"},
};
#define RULES (sizeof rules / sizeof *rules)

/* What is in the set becomes this list: the node's own word, whatever stood there. */
static void fill_networks(struct str *script, const char *table, const char *set, const char *networks) {
    struct nft_network one;
    bool bad = false;
    str_addf(script, "flush set ip %s %s\n", table, set);
    while (nft_network_next(&networks, &one, &bad)) {
        str_addf(script, "add element ip %s %s { ", table, set);
        nft_network_text(script, &one);
        str_adds(script, " }\n");
    }
}

static bool has_networks(const json_t *listing, const char *set, const char *networks) {
    struct nft_network one;
    bool bad = false, has = true;
    size_t n = 0;
    for (; nft_network_next(&networks, &one, &bad); n++) {
        cleanup_json json_t *shown = nft_network_json(&one);
        has = has && has_element(listing, set, shown);
    }
    return has && json_array_size(elements_of(listing, set)) == n;
}

static void add_skeleton(struct str *script, const char *table) {
    static const char *const sets[] = {"ports { type ipv4_addr . inet_service; }",
                                       "edges { type ipv4_addr . ipv4_addr . inet_service; }",
                                       "users { type uid; }",
                                       "bridges { type ifname; }",
                                       "doors { type ipv4_addr . inet_service; }",
                                       "resolvers { type ipv4_addr; flags interval; }",
                                       "apps { type ipv4_addr; flags interval; }",
                                       "closed { type ipv4_addr; flags interval; }"};
    static const char *const chains[] = {
        "pre { type filter hook prerouting priority mangle; policy accept; }",
        "out { type filter hook output priority mangle; policy accept; }",
        "through { type filter hook forward priority filter - 5; policy accept; }",
        "in { type filter hook input priority filter - 5; policy accept; }",
        "app_in",
        "app_out"};
    str_addf(script, "add table ip %s\n", table);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        str_addf(script, "add set ip %s %s\n", table, sets[i]);
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++)
        str_addf(script, "add chain ip %s %s\nflush chain ip %s %.*s\n", table, chains[i], table,
                 (int)strcspn(chains[i], " "), chains[i]);
    for (size_t i = 0; i < RULES; i++)
        str_addf(script, "add rule ip %s %s %s comment \"%s\"\n", table, rules[i].chain, rules[i].rule,
                 rules[i].comment);
}

/* Interfaces that are gone: somebody died between taking the network away and saying so here. */
static void drop_gone_bridges(struct str *script, const char *table, const json_t *listing) {
    size_t i;
    json_t *one;
    json_array_foreach(elements_of(listing, "bridges"), i, one) {
        const char *name = json_string_value(one);
        if (name && if_nametoindex(name) == 0) /* not by /sys: that may be of another network namespace */
            str_addf(script, "delete element ip %s bridges { \"%s\" }\n", table, name);
    }
}

/* Every edge of the address and port but the guard's own: of an instance that had the port before. */
static void drop_other_edges(struct str *script, const char *table, const struct nft_guard *guard,
                             const json_t *listing) {
    size_t i;
    json_t *one;
    json_array_foreach(elements_of(listing, "edges"), i, one) {
        const json_t *parts = json_object_get(one, "concat");
        const char *edge = json_string_value(json_array_get(parts, 0)),
                   *address = json_string_value(json_array_get(parts, 1));
        if (edge && str_eq(address, guard->address) &&
            json_integer_value(json_array_get(parts, 2)) == guard->port && !str_eq(edge, guard->edge))
            str_addf(script, "delete element ip %s edges { %s . %s . %u }\n", table, edge, address,
                     guard->port);
    }
}

static int ensure(const struct nft_guard *guard, struct err *err) {
    char table[40];
    cleanup_str struct str script = STR_INIT(60000), resolvers = STR_INIT(1000);
    nft_resolvers(&resolvers);
    long uid = is_on_this_machine(guard->edge) ? uid_of(guard->edge_user) : 0;
    if (uid < 0)
        return err_set(err, ERR_PARK,
                       "there is no user \"%s\": set the option edge-user to whom nginx runs as",
                       guard->edge_user);
    table_of(guard, table);
    cleanup_json json_t *listing = list_table(table);
    add_skeleton(&script, table);
    drop_other_edges(&script, table, guard, listing);
    drop_gone_bridges(&script, table, listing);
    str_addf(&script, "add element ip %s ports { %s . %u }\n", table, guard->address, guard->port);
    str_addf(&script, "add element ip %s edges { %s . %s . %u }\n", table, guard->edge, guard->address,
             guard->port);
    if (uid > 0)
        str_addf(&script, "add element ip %s users { %ld }\n", table, uid);
    str_addf(&script, "add element ip %s doors { %s . %u }\n", table, guard->edge, guard->door);
    fill_networks(&script, table, "resolvers", str_text(&resolvers));
    fill_networks(&script, table, "apps", guard->apps);
    fill_networks(&script, table, "closed", guard->closed);
    if (guard->bridge)
        str_addf(&script, "add element ip %s bridges { \"%s\" }\n", table, guard->bridge);
    return run_script(&script, err);
}

int nft_guard_ensure(const struct nft_guard *guard, struct err *err) {
    pthread_mutex_lock(&mutex);
    int rc = ensure(guard, err);
    pthread_mutex_unlock(&mutex);
    return rc;
}

static bool holds_rules(const json_t *listing) {
    static const char *const hooks[] = {"prerouting", "output", "forward", "input"};
    for (size_t i = 0; i < RULES; i++)
        if (!find(listing, "rule", "comment", rules[i].comment))
            return false;
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
        if (!find(listing, "chain", "hook", hooks[i]))
            return false;
    return true;
}

bool nft_guard_holds(const struct nft_guard *guard) {
    char table[40];
    cleanup_str struct str resolvers = STR_INIT(1000);
    nft_resolvers(&resolvers);
    table_of(guard, table);
    cleanup_json json_t *listing = list_table(table);
    cleanup_json json_t *port = json_pack("{s:[s, i]}", "concat", guard->address, (int)guard->port);
    cleanup_json json_t *edge =
        json_pack("{s:[s, s, i]}", "concat", guard->edge, guard->address, (int)guard->port);
    cleanup_json json_t *user = json_integer(uid_of(guard->edge_user));
    cleanup_json json_t *door = json_pack("{s:[s, i]}", "concat", guard->edge, (int)guard->door);
    cleanup_json json_t *bridge = json_string(guard->bridge ? guard->bridge : "");
    return listing && holds_rules(listing) && has_element(listing, "ports", port) &&
           has_element(listing, "edges", edge) && has_element(listing, "doors", door) &&
           has_networks(listing, "resolvers", str_text(&resolvers)) &&
           has_networks(listing, "apps", guard->apps) && has_networks(listing, "closed", guard->closed) &&
           (!is_on_this_machine(guard->edge) || has_element(listing, "users", user)) &&
           (!guard->bridge || has_element(listing, "bridges", bridge));
}

static int remove_elements(const struct nft_guard *guard, struct err *err) {
    char table[40];
    cleanup_str struct str script = STR_INIT(60000);
    struct nft_guard nobody = *guard;
    nobody.edge = NULL;
    table_of(guard, table);
    cleanup_json json_t *listing = list_table(table);
    if (!listing)
        return 0;
    drop_other_edges(&script, table, &nobody, listing);
    drop_gone_bridges(&script, table, listing);
    /* Added first, so that taking away what is not there is no error. */
    str_addf(&script, "add element ip %s ports { %s . %u }\ndelete element ip %s ports { %s . %u }\n", table,
             guard->address, guard->port, table, guard->address, guard->port);
    return run_script(&script, err);
}

int nft_guard_remove(const struct nft_guard *guard, struct err *err) {
    pthread_mutex_lock(&mutex);
    int rc = remove_elements(guard, err);
    pthread_mutex_unlock(&mutex);
    return rc;
}
