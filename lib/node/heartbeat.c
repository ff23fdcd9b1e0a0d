#include "node/heartbeat.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_S 300 /* until one says another */
#define INTERVAL_MAX_S 3600
#define KEPT_MAX 65536 /* of its file: some two thousand tenants */
#define MISSED 3
#define N_MAX 7258118400000000 /* microseconds till the year 2200: a clock, not any number */
#define DIFFERENT 2            /* one may be about a moment in which a document was still on its way */

struct heartbeat {
    const struct node_identity *node;
    char path[512];
    atomic_llong n;          /* of the last; 0: there was none, ever */
    uint64_t since;          /* of the key that signed it (key_set.h) */
    atomic_llong heard_boot; /* as heard_at, by the clock that goes on while the machine sleeps */
    atomic_llong heard_at;   /* by the monotonic clock; at first when the program began */
    atomic_uint interval_s, different;
    /* The coordinator's clock, of which n is microseconds, and ours, which never goes back, are so far apart.
     * The least is the true one; what is more is how late the last heartbeat was. */
    int64_t least_apart;
    atomic_llong late;
    struct uuid *tenants;
    size_t tenants_n;
    unsigned told; /* rises when they become others */
    /* Without a link: what the newest said should be held, kept in the file "heartbeat.wanted". */
    uint32_t wanted_n;
    struct hash wanted;
    atomic_bool held; /* a bundle is being read, or none was judged yet */
};

/* "N SINCE", without the second where there were no others yet. */
static bool read_numbers(struct heartbeat *heartbeat, char *line) {
    int64_t n, since = 1;
    char *space = line ? strchr(line, ' ') : NULL;
    if (space)
        *space = '\0';
    if (!line || !str_to_int(line, 1, N_MAX, &n) || (space && !str_to_int(space + 1, 1, INT64_MAX, &since)))
        return false;
    atomic_store(&heartbeat->n, n);
    heartbeat->since = (uint64_t)since;
    return true;
}

/* The numbers, and a line for each tenant. */
static bool read_kept(struct heartbeat *heartbeat, char *text) {
    char *rest = NULL, *line = strtok_r(text, "\n", &rest);
    if (!read_numbers(heartbeat, line))
        return false;
    while ((line = strtok_r(NULL, "\n", &rest))) {
        heartbeat->tenants =
            mem_grow(heartbeat->tenants, heartbeat->tenants_n + 1, sizeof *heartbeat->tenants);
        if (!uuid_parse(line, &heartbeat->tenants[heartbeat->tenants_n++]))
            return false;
    }
    return true;
}

/* "DOCUMENTS HASH". */
static int read_wanted(struct heartbeat *heartbeat, struct err *err) {
    char path[600];
    cleanup_free char *text = NULL;
    int64_t n;
    (void)snprintf(path, sizeof path, "%s.wanted", heartbeat->path);
    if (!heartbeat->node->by_file || !atomic_load(&heartbeat->n))
        return 0;
    if (file_read(path, 200, &text, NULL, err) < 0)
        return -1;
    char *space = strchr(text, ' ');
    if (space)
        *space = '\0';
    if (!space || !str_to_int(text, 0, UINT32_MAX, &n) ||
        !hex_decode(heartbeat->wanted.b, HASH_SIZE, space + 1))
        return err_set(err, ERR_PARK, "\"%s\" is not whole", path);
    heartbeat->wanted_n = (uint32_t)n;
    return 0;
}

static int keep_wanted(struct heartbeat *heartbeat, const Fairlead__V1__Heartbeat *said, struct err *err) {
    char path[600], text[100], hex[HASH_HEX_SIZE];
    if (!heartbeat->node->by_file)
        return 0;
    if (said->hash.len != HASH_SIZE)
        return err_set(err, ERR_DEAD, "a heartbeat without a hash");
    heartbeat->wanted_n = said->documents;
    memcpy(heartbeat->wanted.b, said->hash.data, HASH_SIZE);
    (void)snprintf(path, sizeof path, "%s.wanted", heartbeat->path);
    int n = snprintf(text, sizeof text, "%u %s", said->documents, hash_hex(heartbeat->wanted, hex));
    return file_write(path, text, (size_t)n, 0600, err);
}

struct heartbeat *heartbeat_open(const struct node_identity *node, const char *state, struct err *err) {
    cleanup_free char *text = NULL;
    struct heartbeat *heartbeat = mem_alloc(sizeof *heartbeat);
    heartbeat->node = node;
    (void)snprintf(heartbeat->path, sizeof heartbeat->path, "%s/heartbeat", state);
    atomic_store(&heartbeat->heard_at, clock_mono_us());
    atomic_store(&heartbeat->heard_boot, clock_boot_us());
    atomic_store(&heartbeat->interval_s, INTERVAL_S);
    heartbeat->least_apart = INT64_MAX;
    atomic_store(&heartbeat->held, true);
    if (!file_exists(heartbeat->path))
        return heartbeat;
    if (file_read(heartbeat->path, KEPT_MAX, &text, NULL, err) == 0 && read_kept(heartbeat, text) &&
        read_wanted(heartbeat, err) == 0)
        return heartbeat;
    (void)err_set(err, ERR_PARK, "\"%s\" is not whole: remove it if this node was not restored",
                  heartbeat->path);
    heartbeat_close(heartbeat);
    return NULL;
}

void heartbeat_close(struct heartbeat *heartbeat) {
    if (heartbeat)
        free(heartbeat->tenants);
    free(heartbeat);
}

const struct uuid *heartbeat_tenants(const struct heartbeat *heartbeat, size_t *ret_n) {
    *ret_n = heartbeat->tenants_n;
    return heartbeat->tenants;
}

unsigned heartbeat_told(const struct heartbeat *heartbeat) {
    return heartbeat->told;
}

int64_t heartbeat_time(const struct heartbeat *heartbeat) {
    int64_t n = atomic_load(&heartbeat->n);
    return n ? n + clock_boot_us() - atomic_load(&heartbeat->heard_boot) : 0;
}

bool heartbeat_is_known(const struct heartbeat *heartbeat) {
    return atomic_load(&heartbeat->n) != 0;
}

static int remember(struct heartbeat *heartbeat, const Fairlead__V1__Heartbeat *said, uint64_t since,
                    struct err *err) {
    cleanup_str struct str text = STR_INIT(KEPT_MAX);
    struct uuid *tenants = mem_alloc((said->n_tenants + 1) * sizeof *tenants);
    str_addf(&text, "%lld", (long long)said->n);
    if (since > 1) /* before there are sets a version that knows none can be gone back to */
        str_addf(&text, " %llu", (unsigned long long)since);
    str_adds(&text, "\n");
    for (size_t i = 0; i < said->n_tenants; i++) {
        char hex[UUID_HEX_SIZE];
        if (said->tenants[i].len == sizeof tenants[i].b)
            memcpy(tenants[i].b, said->tenants[i].data, sizeof tenants[i].b);
        str_addf(&text, "%s\n", uuid_hex(tenants[i], hex));
    }
    if (str_is_cut(&text) || file_write(heartbeat->path, str_text(&text), text.n, 0600, err) < 0) {
        free(tenants);
        return str_is_cut(&text) ? err_set(err, ERR_DEAD, "a heartbeat that names too many tenants") : -1;
    }
    heartbeat->told +=
        said->n_tenants != heartbeat->tenants_n ||
        (said->n_tenants && memcmp(tenants, heartbeat->tenants, said->n_tenants * sizeof *tenants) != 0);
    free(heartbeat->tenants);
    heartbeat->tenants = tenants;
    heartbeat->tenants_n = said->n_tenants;
    return 0;
}

static bool agrees(struct keeper *keeper, const Fairlead__V1__Heartbeat *said) {
    struct hash hash;
    uint32_t n;
    keeper_summary(keeper, &n, &hash);
    return n == said->documents && said->hash.len == HASH_SIZE &&
           memcmp(hash.b, said->hash.data, HASH_SIZE) == 0;
}

/* What is remembered of the clock was the word of an older key, and perhaps of who had stolen it. */
static void begin_anew(struct heartbeat *heartbeat, uint64_t since) {
    heartbeat->since = since;
    heartbeat->least_apart = INT64_MAX;
    atomic_store(&heartbeat->different, 0);
}

static int take(struct heartbeat *heartbeat, const Fairlead__V1__Heartbeat *said, uint64_t since,
                struct keeper *keeper, bool *ret_ask, struct err *err) {
    if (said->node.len != 16 || memcmp(said->node.data, heartbeat->node->id.b, 16) != 0)
        return err_set(err, ERR_DEAD, "a heartbeat for another node");
    if (said->n < 1 || said->n > N_MAX)
        return err_set(err, ERR_DEAD, "a heartbeat of a time that cannot be");
    if (since < heartbeat->since || (since == heartbeat->since && said->n <= atomic_load(&heartbeat->n)))
        return 0; /* read again, or repeated by somebody */
    unsigned told = heartbeat->told;
    if (keep_wanted(heartbeat, said, err) < 0 || remember(heartbeat, said, since, err) < 0 ||
        fault_check(FAULT_HEARTBEAT_KEPT, err) < 0)
        return -1;
    if (since > heartbeat->since)
        begin_anew(heartbeat, since);
    /* What is on topics that it is the first to name cannot be held yet: their reader asks for the list. A
     * bundle is judged when it was read. */
    bool same = told != heartbeat->told || heartbeat->node->by_file || agrees(keeper, said);
    atomic_store(&heartbeat->heard_boot,
                 clock_boot_us()); /* first: in between it is too early, never too late */
    atomic_store(&heartbeat->n, said->n);
    atomic_store(&heartbeat->interval_s, said->interval_s < 1                ? 1
                                         : said->interval_s > INTERVAL_MAX_S ? INTERVAL_MAX_S
                                                                             : said->interval_s);
    atomic_store(&heartbeat->heard_at, clock_mono_us());
    int64_t apart = clock_mono_us() - said->n;
    heartbeat->least_apart = apart < heartbeat->least_apart ? apart : heartbeat->least_apart;
    atomic_store(&heartbeat->late, apart - heartbeat->least_apart);
    unsigned different = same ? 0 : atomic_load(&heartbeat->different) + 1;
    atomic_store(&heartbeat->different, different);
    if (!same)
        log_warn("what the coordinator wants is not what is held", LOG_I("documents", said->documents),
                 LOG_I("times", different));
    *ret_ask = !same;
    return 0;
}

int heartbeat_take(struct heartbeat *heartbeat, const struct opened *opened, struct keeper *keeper,
                   bool *ret_ask, struct err *err) {
    *ret_ask = false;
    Fairlead__V1__Heartbeat *said = fairlead__v1__heartbeat__unpack(NULL, opened->n, opened->payload);
    if (!said)
        return err_set(err, ERR_DEAD, "a heartbeat that cannot be read");
    int rc = take(heartbeat, said, opened->since, keeper, ret_ask, err);
    fairlead__v1__heartbeat__free_unpacked(said, NULL);
    return rc;
}

void heartbeat_hold(struct heartbeat *heartbeat) {
    atomic_store(&heartbeat->held, true);
}

void heartbeat_judge(struct heartbeat *heartbeat, struct keeper *keeper) {
    struct hash hash;
    uint32_t n;
    keeper_summary(keeper, &n, &hash);
    bool same = !atomic_load(&heartbeat->n) ||
                (n == heartbeat->wanted_n && memcmp(hash.b, heartbeat->wanted.b, HASH_SIZE) == 0);
    if (!same)
        log_warn("what the coordinator wants is not what is held", LOG_I("documents", heartbeat->wanted_n));
    atomic_store(&heartbeat->different, !same);
    atomic_store(&heartbeat->held, false);
}

int64_t heartbeat_newest(const struct heartbeat *heartbeat) {
    return atomic_load(&heartbeat->n);
}

const char *heartbeat_doubt(const struct heartbeat *heartbeat) {
    if (heartbeat->node->by_file) /* nobody comes every five minutes */
        return atomic_load(&heartbeat->held) || atomic_load(&heartbeat->different) ? "withheld" : NULL;
    if (!atomic_load(&heartbeat->n))
        return NULL;
    int64_t silent_us = clock_mono_us() - atomic_load(&heartbeat->heard_at) + atomic_load(&heartbeat->late);
    if (silent_us > MISSED * (int64_t)atomic_load(&heartbeat->interval_s) * CLOCK_S)
        return "stale";
    return atomic_load(&heartbeat->different) >= DIFFERENT ? "withheld" : NULL;
}
