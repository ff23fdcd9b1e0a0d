/* Who is connected to an HTTP server, and who must go: for httpd.c alone.
 *
 * A connection that sends nothing whole holds a place for nobody's good. So a request has a time in which all
 * of it must have come, whatever trickles; of places, those who have not shown a token share three quarters,
 * where the one that has been at it for longest makes way for who comes; and one address has a limit. */
#ifndef FAIRLEAD_IO_HTTPD_VISITORS_H
#define FAIRLEAD_IO_HTTPD_VISITORS_H

#include <netinet/in.h>
#include <stdbool.h>

struct visitors_conf {
    unsigned places, per_address;
    int request_s;         /* for a whole request to come */
    struct in_addr exempt; /* our own address: a proxy on this machine speaks for many */
};

struct visitors;
struct visitors *visitors_start(const struct visitors_conf *conf); /* with a thread that ends who is late */
void visitors_stop(struct visitors *visitors);                     /* NULL is fine */

bool visitors_may_come(struct visitors *visitors, const struct sockaddr *from);
struct visitor *visitor_add(struct visitors *visitors, int fd, const struct sockaddr *from);
void visitor_remove(struct visitors *visitors, struct visitor *visitor); /* before its socket is closed */

void visitor_begins(struct visitors *visitors,
                    struct visitor *visitor); /* the first line of a request came */
void visitor_is_known(struct visitors *visitors, struct visitor *visitor);  /* it has shown who it is */
void visitor_has_asked(struct visitors *visitors, struct visitor *visitor); /* all of a request is here */
void visitor_is_idle(struct visitors *visitors, struct visitor *visitor);   /* it has its answer */

#endif
