/* The one way out of a narrow network: an HTTP proxy that connects (CONNECT, RFC 9110 section 9.3.6). A
 * program has one for its whole life, or none; what goes to the coordinator and to Kafka takes it. Names are
 * resolved by the proxy. */
#ifndef FAIRLEAD_IO_TUNNEL_H
#define FAIRLEAD_IO_TUNNEL_H

#include "base/err.h"

#include <stdbool.h>

/* Before anything connects. `url`: http://[USER:PASSWORD@]HOST:PORT; "": there is none. Class park. */
MUST_CHECK int tunnel_use(const char *url, struct err *err);
/* http://HOST:PORT; NULL: there is none. *ret_user, *ret_password: as they stand there; NULL: it wants none.
 */
const char *tunnel_proxy(const char **ret_user, const char **ret_password);

/* Why the last tunnel of this program was not opened, in words; "" when it was. Any thread. The clients of
 * Kafka only say that they could not connect. */
#define TUNNEL_PROBLEM_SIZE 160
void tunnel_problem(char out[TUNNEL_PROBLEM_SIZE]);

#endif
