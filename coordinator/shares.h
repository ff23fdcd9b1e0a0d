/* Which partitions of the reports this coordinator reads. A partition is its reader's as long as a session of
 * the database lives, like a lane of the relay: a reader that is killed is followed within a second or two,
 * one that stands still after five (idle_session_timeout), and nobody waits for the broker to notice. Readers
 * share evenly: who has more than its part hands over what it does not read any more.
 *
 * Two may read one partition for a moment: what they bring comes twice, which every input must bear. */
#ifndef FAIRLEAD_COORDINATOR_SHARES_H
#define FAIRLEAD_COORDINATOR_SHARES_H

#include "base/err.h"

#include <stdint.h>

struct shares;

/* Of so many partitions, 32 at most. Class retry: no thread. */
struct shares *shares_start(const char *database_url, int partitions, struct err *err);
void shares_stop(struct shares *shares); /* lets all of them go; NULL is fine */

/* Bit i: partition i is to be read. Any thread. */
uint32_t shares_get(const struct shares *shares);
/* These are read now: what is not among them, and not wanted, may go to another reader. */
void shares_read(struct shares *shares, uint32_t partitions);
/* For who cannot store: lets all of them go, and asks for none for a while. */
void shares_rest(struct shares *shares);

#endif
