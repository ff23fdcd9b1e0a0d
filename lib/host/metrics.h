/* GET /metrics of a node, for Prometheus, on loopback only; nothing else is answered. */
#ifndef FAIRLEAD_HOST_METRICS_H
#define FAIRLEAD_HOST_METRICS_H

#include "node/keeper.h"

struct httpd;

/* `at` is 127.x.x.x:PORT; "" starts nothing and returns 0 with *ret NULL. Class park. */
MUST_CHECK int metrics_serve(const char *at, struct keeper *keeper, struct httpd **ret, struct err *err);

#endif
