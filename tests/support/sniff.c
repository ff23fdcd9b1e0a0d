/* Writes whatever passes an interface to a file, frame after frame, until it is stopped (TERM) or has so many
 * bytes. usage: sniff INTERFACE FILE   (needs CAP_NET_RAW) */
#include <arpa/inet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
/* The kernel's own header for ETH_P_ALL. */
#include <linux/if_ether.h>

#define BYTES_MAX (256 << 20)

int main(int argc, char **argv) {
    static char frame[65536];
    if (argc != 3) {
        (void)fprintf(stderr, "usage: sniff INTERFACE FILE\n");
        return 2;
    }
    FILE *file = fopen(argv[2], "w");
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_ALL),
                             .sll_ifindex = (int)if_nametoindex(argv[1])};
    if (!file || fd < 0 || !at.sll_ifindex || bind(fd, (struct sockaddr *)&at, sizeof at) < 0) {
        perror("sniff");
        return 1;
    }
    for (long bytes = 0; bytes < BYTES_MAX;) {
        ssize_t n = recv(fd, frame, sizeof frame, 0);
        if (n <= 0)
            break;
        bytes += (long)fwrite(frame, 1, (size_t)n, file);
        (void)fflush(file); /* who looks, looks while it runs */
    }
    return fclose(file) == 0 ? 0 : 1;
}
