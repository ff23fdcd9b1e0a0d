/* What is between a node and the rest: a link that is cut, for a year perhaps, and a broker that lies. A node
 * that is away keeps on disk what it would say, the newest of each document; a topic is compacted meanwhile,
 * and what was absent and confirmed is gone from it. One that is in doubt deletes nothing (P10, P13). */
#include "base/clock.h"
#include "proto/fairlead.pb-c.h"
#include "tests/sim/world.h"

#include <string.h>

#define DOUBT_US (900 * CLOCK_S) /* three heartbeats */
#define AWAY_EVENTS 400          /* of the others, while a node is away */

bool link_is_up(const struct sim_node *node) {
    return !node->away;
}

bool link_is_in_doubt(const struct world *w, const struct sim_node *node) {
    return w->now - node->heard_at > DOUBT_US;
}

/* It reads, or a heartbeat came meanwhile. */
void link_hear(struct world *w, int n) {
    if (link_is_up(&w->nodes[n]) && !w->nodes[n].withheld)
        w->nodes[n].heard_at = w->now;
}

void link_say(struct world *w, int n, const struct sim_report *report) {
    struct sim_node *node = &w->nodes[n];
    for (size_t i = 0; !link_is_up(node) && i < node->spool.n; i++) {
        struct sim_report *kept = vec_at(&node->spool, struct sim_report, i);
        if (kept->instance != report->instance || kept->event.document.kind != report->event.document.kind)
            continue;
        *kept = *report;
        return;
    }
    *vec_add(&w->arena, link_is_up(node) ? &w->reports : &node->spool, struct sim_report) = *report;
}

static bool is_last_of_its_key(const struct vec *topic, size_t at) {
    const struct record *record = vec_at(topic, struct record, at);
    for (size_t i = at + 1; i < topic->n; i++) {
        const struct record *later = vec_at(topic, struct record, i);
        if (later->instance == record->instance && later->kind == record->kind)
            return false;
    }
    return true;
}

/* Of each key the last one stays, and a tombstone takes that, too. */
static void compact(struct world *w, int n) {
    struct vec *topic = &w->nodes[n].topic;
    size_t kept = 0;
    for (size_t i = 0; i < topic->n; i++) {
        struct record record = *vec_at(topic, struct record, i);
        if (is_last_of_its_key(topic, i) && !world_is_tombstone(w, n, &record))
            *vec_at(topic, struct record, kept++) = record;
    }
    topic->n = kept;
}

void link_cut(struct world *w, int n) {
    static const int64_t times[] = {600 * CLOCK_S, 7 * CLOCK_DAY, 45 * CLOCK_DAY, 400 * CLOCK_DAY};
    struct sim_node *node = &w->nodes[n];
    int64_t time = times[world_random(w, sizeof times / sizeof *times)];
    node->away = 1 + (int)world_random(w, AWAY_EVENTS);
    node->back_at = w->now + time;
    world_note(w, "fault: node %d is cut off for %lld s", n, (long long)(time / CLOCK_S));
    world_hear(w, n, "unknown");
}

void link_mend(struct world *w, int n) {
    struct sim_node *node = &w->nodes[n];
    if (link_is_up(node))
        return;
    node->away = 0;
    w->now = node->back_at > w->now ? node->back_at : w->now;
    world_note(w, "node %d is back", n);
    compact(w, n);
    node->read = 0;
    for (size_t i = 0; i < node->spool.n; i++)
        link_say(w, n, vec_at(&node->spool, struct sim_report, i));
    node->spool.n = 0;
    world_hear(w, n, "ok");
    world_inventory(w, n);
}

/* One event has passed for everybody. */
void link_pass(struct world *w) {
    for (int n = 0; n < NODES; n++)
        if (w->nodes[n].away && --w->nodes[n].away == 0) {
            w->nodes[n].away = 1; /* until it is mended */
            link_mend(w, n);
        }
}

/* Whoever owns the broker: nothing that it can do is believed, so nothing comes of it but that time passes.
 */
void link_lie(struct world *w, int n) {
    struct sim_node *node = &w->nodes[n];
    switch (world_random(w, 3)) {
    case 0:
        node->withheld = !node->withheld;
        world_note(w, "fault: the broker %s node %d", node->withheld ? "keeps all back from" : "serves again",
                   n);
        break;
    case 1:
        world_note(w, "fault: the broker repeats all that node %d was sent", n);
        node->read = 0;
        break;
    case 2:
        world_note(w, "fault: the broker turns the topic of node %d round", n);
        for (size_t i = 0; i + 1 < node->topic.n - i && node->topic.n; i++) {
            struct record *first = vec_at(&node->topic, struct record, i),
                          *last = vec_at(&node->topic, struct record, node->topic.n - 1 - i),
                          swapped = *first;
            *first = *last;
            *last = swapped;
        }
        node->read = 0;
        break;
    }
}

void link_mend_all(struct world *w) {
    for (int n = 0; n < NODES; n++) {
        w->nodes[n].withheld = false;
        link_mend(w, n);
    }
}
