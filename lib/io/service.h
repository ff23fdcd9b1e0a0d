/* What a program tells the manager that started it, by libsystemd (sd_notify(3)): that it is ready, that it
 * lives, that it ends. Where nobody manages it nothing is told. */
#ifndef FAIRLEAD_IO_SERVICE_H
#define FAIRLEAD_IO_SERVICE_H

#include <signal.h>

void service_ready(void);
/* Waits for one of these, which all threads block; returns which it was. Until then the manager's watchdog
 * hears twice in its time that this thread goes on, and each HUP, which they block as well, is a call of
 * reload(arg). */
int service_wait(const sigset_t *signals, void (*reload)(void *arg), void *arg);

#endif
