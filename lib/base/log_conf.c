#include "base/log_conf.h"

#include "base/log.h"

void log_by_conf(const char *program, const struct conf_row *conf) {
    log_init(program, conf_get(conf, "log"), conf_get(conf, "log-format"));
    log_init_debug(conf_get(conf, "debug"));
}

void log_conf_reload(void *arg) {
    const struct log_conf *this = arg;
    struct err err = {0};
    cleanup_str struct str later = STR_INIT(1000);
    if (conf_reload(this->conf, &later, &err) < 0) {
        log_error("the options cannot be read again: it goes on as it was", LOG_S("error", err.text));
        return;
    }
    log_by_conf(this->program, this->conf);
    if (later.n)
        log_warn("options have changed that count after a restart only",
                 LOG_S("options", str_text(&later) + 1));
    log_info("the options were read again", LOG_S("log", conf_get(this->conf, "log")),
             LOG_S("debug", conf_get(this->conf, "debug")));
}
