/* What is written, by a program's options "log", "log-format" and "debug". */
#ifndef FAIRLEAD_BASE_LOG_CONF_H
#define FAIRLEAD_BASE_LOG_CONF_H

#include "base/conf.h"

void log_by_conf(const char *program, const struct conf_row *conf);

struct log_conf {
    const char *program;
    struct conf_row *conf;
};
/* The options are read again (conf_reload()), and it is told what counts now, and what counts later only. For
 * io/service.h; `arg` is a struct log_conf. */
void log_conf_reload(void *arg);

#endif
