/* F7, by order: the judgement is lib/step/verify.h's. */
#include "step/verify.h"

#include "worker/worker.h"

void order_verify(struct worker *worker, const Fairlead__V1__Probe *probe, struct arena *arena,
                  struct result *result) {
    struct err err = {0};
    const char *code = NULL;
    struct verify_dns dns = {worker->conf.dns_server, worker->conf.zone};
    if (verify_instance(&dns, probe, arena, &code, &err) < 0)
        result_fail(result, arena, code, &err);
    else
        result_ok(result);
}
