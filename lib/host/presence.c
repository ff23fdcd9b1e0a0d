/* What a node says of itself, so that its silence means something. */
#include "base/clock.h"
#include "base/conf.h"
#include "host/host.h"
#include "node/heartbeat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PRESENCE_US (10 * CLOCK_S)
#define BY_FILE_US (60 * CLOCK_S) /* where it waits on disk for whoever carries it */

int64_t host_tell_presence(const struct loop *loop, void *arg) {
    struct host *host = arg;
    struct statvfs fs;
    double load = 0;
    char version[] = FAIRLEAD_VERSION;
    Fairlead__V1__Report report = FAIRLEAD__V1__REPORT__INIT;
    Fairlead__V1__Presence presence = FAIRLEAD__V1__PRESENCE__INIT;
    report.body_case = FAIRLEAD__V1__REPORT__BODY_PRESENCE;
    report.presence = &presence;
    (void)loop;
    (void)getloadavg(&load, 1);
    presence.load_milli = (uint32_t)(load * 1000);
    presence.memory_free_mb =
        (uint32_t)((uint64_t)sysconf(_SC_AVPHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 1048576);
    if (statvfs(host->machine.state, &fs) == 0)
        presence.disk_free_mb = (uint32_t)((uint64_t)fs.f_bavail * fs.f_frsize / 1048576);
    presence.version = version;
    presence.key_set =
        *host->node.root ? node_key_set(&host->node).n : 0; /* without a root: it can take none */
    const char *doubt = heartbeat_doubt(host->heartbeat);
    char text[16] = "";
    (void)snprintf(text, sizeof text, "%s", doubt ? doubt : "");
    presence.doubt = text;
    char lacks[sizeof host->lacks];
    pthread_mutex_lock(&host->lacks_mutex);
    memcpy(lacks, host->lacks, sizeof lacks);
    pthread_mutex_unlock(&host->lacks_mutex);
    presence.lacks = lacks;
    reporter_post(host->reporter, &report);
    return host->node.by_file ? BY_FILE_US : PRESENCE_US;
}
