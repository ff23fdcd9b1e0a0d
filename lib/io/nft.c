#include "io/nft.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/proc.h"

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

/* The whole table as nft shows it; false: there is none. */
static bool list_table(const char *table, struct str *out) {
    const char *const argv[] = {"nft", "-n", "list", "table", "ip", table, NULL};
    struct proc proc = {.argv = argv, .timeout_us = 20 * CLOCK_S, .out = out};
    return proc_run(&proc, NULL) == 0 && proc.status == 0;
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
 * comes from loopback. */
static const char *const rules[][2] = {
    {"pre",
     "ip daddr . tcp dport @ports ip saddr . ip daddr . tcp dport != @edges drop comment \"a port admits "
     "its edge\""},
    {"out",
     "ip daddr . tcp dport @ports ip saddr . ip daddr . tcp dport != @edges drop comment \"a port admits "
     "its edge, from here too\""},
    {"out", "ip daddr . tcp dport @ports meta skuid != @users drop comment \"and only who it runs as\""},
    {"out", "oifname @bridges meta skuid != 0 ct status & dnat == 0 ct direction original drop comment \"a "
            "container is reached by its port\""},
    {"through",
     "iifname != \"br-*\" oifname @bridges ct status & dnat == 0 ct direction original drop comment \"a "
     "container is reached by its port, from elsewhere\""},
};
#define RULES (sizeof rules / sizeof *rules)

static void add_skeleton(struct str *script, const char *table) {
    static const char *const sets[] = {"ports { type ipv4_addr . inet_service; }",
                                       "edges { type ipv4_addr . ipv4_addr . inet_service; }",
                                       "users { type uid; }", "bridges { type ifname; }"};
    static const char *const chains[] = {
        "pre { type filter hook prerouting priority mangle; policy accept; }",
        "out { type filter hook output priority mangle; policy accept; }",
        "through { type filter hook forward priority filter - 5; policy accept; }"};
    str_addf(script, "add table ip %s\n", table);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        str_addf(script, "add set ip %s %s\n", table, sets[i]);
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++)
        str_addf(script, "add chain ip %s %s\nflush chain ip %s %.*s\n", table, chains[i], table,
                 (int)strcspn(chains[i], " "), chains[i]);
    for (size_t i = 0; i < RULES; i++)
        str_addf(script, "add rule ip %s %s %s\n", table, rules[i][0], rules[i][1]);
}

/* The elements of a set, as nft lists them: from behind its name to the brace that ends it. */
static struct str elements_of(const char *listing, const char *set) {
    char head[40];
    struct str out = STR_INIT(LISTING_MAX);
    (void)snprintf(head, sizeof head, "\tset %s {", set);
    const char *start = strstr(listing, head), *elements = start ? strstr(start, "elements = {") : NULL;
    const char *end = start ? strstr(start, "\n\t}") : NULL;
    if (elements && end && elements < end)
        str_add(&out, elements, (size_t)(end - elements));
    return out;
}

/* A whole element: no digit goes on behind it, and none stands before it. */
static bool has_element(const char *listing, const char *set, const char *element) {
    cleanup_str struct str all = elements_of(listing, set);
    size_t n = strlen(element);
    for (const char *p = str_text(&all); (p = strstr(p, element)); p += n)
        if (!strchr("0123456789.", p[-1]) && !strchr("0123456789", p[n]))
            return true;
    return false;
}

/* Interfaces that are gone: somebody died between taking the network away and saying so here. */
static void drop_gone_bridges(struct str *script, const char *table, const char *listing) {
    cleanup_str struct str all = elements_of(listing, "bridges");
    for (const char *p = str_text(&all); (p = strstr(p, "\"br-")); p += 4) {
        char name[IF_NAMESIZE];
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(p + 1, "\""), p + 1);
        if (if_nametoindex(name) == 0) /* not by /sys: that may be of another network namespace than ours */
            str_addf(script, "delete element ip %s bridges { \"%s\" }\n", table, name);
    }
}

/* Every "A . ADDRESS . PORT" of the set of edges whose A is another: of an instance that had the port before.
 */
static void drop_other_edges(struct str *script, const char *table, const struct nft_guard *guard,
                             const char *listing) {
    char tail[64];
    (void)snprintf(tail, sizeof tail, " . %s . %u", guard->address, guard->port);
    size_t n = strlen(tail);
    for (const char *p = listing; (p = strstr(p, tail)); p += n) {
        const char *start = p;
        char edge[16];
        if (p[n] >= '0' && p[n] <= '9')
            continue;
        while (start > listing && strchr("0123456789.", start[-1]))
            start--;
        (void)snprintf(edge, sizeof edge, "%.*s", (int)(p - start < 15 ? p - start : 15), start);
        struct in_addr parsed;
        if (inet_pton(AF_INET, edge, &parsed) == 1 && (!guard->edge || strcmp(edge, guard->edge) != 0))
            str_addf(script, "delete element ip %s edges { %s%s }\n", table, edge, tail);
    }
}

static int ensure(const struct nft_guard *guard, struct err *err) {
    char table[40];
    cleanup_str struct str script = STR_INIT(60000), listing = STR_INIT(LISTING_MAX);
    long uid = is_on_this_machine(guard->edge) ? uid_of(guard->edge_user) : 0;
    if (uid < 0)
        return err_set(err, ERR_PARK,
                       "there is no user \"%s\": set the option edge-user to whom nginx runs as",
                       guard->edge_user);
    table_of(guard, table);
    (void)list_table(table, &listing);
    add_skeleton(&script, table);
    drop_other_edges(&script, table, guard, str_text(&listing));
    drop_gone_bridges(&script, table, str_text(&listing));
    str_addf(&script, "add element ip %s ports { %s . %u }\n", table, guard->address, guard->port);
    str_addf(&script, "add element ip %s edges { %s . %s . %u }\n", table, guard->edge, guard->address,
             guard->port);
    if (uid > 0)
        str_addf(&script, "add element ip %s users { %ld }\n", table, uid);
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

bool nft_guard_holds(const struct nft_guard *guard) {
    char table[40], want[160];
    cleanup_str struct str listing = STR_INIT(LISTING_MAX);
    table_of(guard, table);
    if (!list_table(table, &listing))
        return false;
    for (size_t i = 0; i < RULES; i++)
        if (!strstr(str_text(&listing), strstr(rules[i][1], "comment")))
            return false;
    (void)snprintf(want, sizeof want, "%s . %u", guard->address, guard->port);
    if (!has_element(str_text(&listing), "ports", want))
        return false;
    (void)snprintf(want, sizeof want, "%s . %s . %u", guard->edge, guard->address, guard->port);
    if (!has_element(str_text(&listing), "edges", want) || !strstr(str_text(&listing), "hook prerouting") ||
        !strstr(str_text(&listing), "hook output") || !strstr(str_text(&listing), "hook forward"))
        return false;
    (void)snprintf(want, sizeof want, "%ld", uid_of(guard->edge_user));
    if (is_on_this_machine(guard->edge) && !has_element(str_text(&listing), "users", want))
        return false;
    (void)snprintf(want, sizeof want, "\"%s\"", guard->bridge ? guard->bridge : "");
    return !guard->bridge || has_element(str_text(&listing), "bridges", want);
}

static int remove_elements(const struct nft_guard *guard, struct err *err) {
    char table[40];
    cleanup_str struct str script = STR_INIT(60000), listing = STR_INIT(LISTING_MAX);
    struct nft_guard nobody = *guard;
    nobody.edge = NULL;
    table_of(guard, table);
    if (!list_table(table, &listing))
        return 0;
    drop_other_edges(&script, table, &nobody, str_text(&listing));
    drop_gone_bridges(&script, table, str_text(&listing));
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
