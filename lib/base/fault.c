#include "base/fault.h"

const struct fault_row fault_rows[FAULT_COUNT] = {
#define FAULT_POINT(id, text, what) {.name = text, .where = what},
#include "base/fault_points.def"
#undef FAULT_POINT
};

#ifdef FAULTS
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int reached[FAULT_COUNT];

static void note_first(const char *name) {
    const char *path = getenv("FAIRLEAD_FAULT_LOG");
    if (!path)
        return;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    char line[64];
    int n = snprintf(line, sizeof line, "%s\n", name);
    if (fd >= 0) {
        (void)!write(fd, line, (size_t)n);
        (void)close(fd);
    }
}

bool fault_reach(enum fault_point point) {
    const char *name = fault_rows[point].name;
    int times = atomic_fetch_add(&reached[point], 1) + 1;
    if (times == 1)
        note_first(name);
    const char *armed = getenv("FAIRLEAD_FAULT");
    size_t n = strlen(name);
    if (!armed || strncmp(armed, name, n) != 0 || armed[n] != ':')
        return false;
    const char *act = armed + n + 1;
    const char *at = strchr(act, '@');
    if (times != (at ? atoi(at + 1) : 1))
        return false;
    if (strncmp(act, "kill", 4) == 0)
        (void)raise(SIGKILL);
    if (strncmp(act, "stop", 4) == 0)
        (void)raise(SIGSTOP);
    if (strncmp(act, "exit", 4) == 0)
        _exit(3);
    return strncmp(act, "fail", 4) == 0;
}
#endif
