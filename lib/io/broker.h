/* How Kafka is reached. */
#ifndef FAIRLEAD_IO_BROKER_H
#define FAIRLEAD_IO_BROKER_H

struct broker {
    const char *servers; /* HOST:PORT, with commas */
    /* PEM files: the authority that signed the brokers; our key, and behind it our chain. NULL: in clear,
     * which is for loopback only. */
    const char *ca, *cert;
};

#endif
