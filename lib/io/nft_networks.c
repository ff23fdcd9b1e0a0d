#include "base/file.h"
#include "base/mem.h"
#include "io/nft_own.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define NETWORKS_MAX 64

bool nft_network_next(const char **list, struct nft_network *ret, bool *bad) {
    char text[24];
    struct in_addr parsed;
    int64_t bits = 32;
    const char *start = *list + strspn(*list, ", ");
    size_t n = strcspn(start, ", ");
    *list = start + n;
    (void)snprintf(text, sizeof text, "%.*s", (int)n, start);
    char *slash = strchr(text, '/');
    if (slash)
        *slash = '\0';
    *bad = n && (n >= sizeof text || inet_pton(AF_INET, text, &parsed) != 1 ||
                 (slash && !str_to_int(slash + 1, 1, 32, &bits)));
    if (!n || *bad)
        return false;
    uint32_t mask = (uint32_t)(UINT64_C(0xffffffff) << (32 - bits));
    ret->first = ntohl(parsed.s_addr) & mask;
    ret->last = ret->first | ~mask;
    ret->bits = (int)bits;
    return true;
}

/* nft refuses a set of which one holds another. */
int nft_networks_check(const char *networks, struct err *err) {
    struct nft_network all[NETWORKS_MAX];
    const char *list = networks;
    size_t n = 0;
    bool bad = false;
    while (n < NETWORKS_MAX && nft_network_next(&list, &all[n], &bad)) {
        for (size_t i = 0; i < n; i++)
            if (all[i].first <= all[n].last && all[n].first <= all[i].last)
                return err_set(err, ERR_PARK,
                               "of the networks \"%s\" one holds another, or stands there twice", networks);
        n++;
    }
    if (!bad && n < NETWORKS_MAX)
        return 0;
    return err_set(err, ERR_PARK, "\"%s\" is not a list of networks, such as \"169.254.0.0/16, 192.0.2.1\"",
                   networks);
}

static void address_of(const struct nft_network *network, char out[INET_ADDRSTRLEN]) {
    const struct in_addr first = {htonl(network->first)};
    (void)inet_ntop(AF_INET, &first, out, INET_ADDRSTRLEN);
}

void nft_network_text(struct str *out, const struct nft_network *network) {
    char address[INET_ADDRSTRLEN];
    address_of(network, address);
    str_addf(out, "%s/%d", address, network->bits);
}

json_t *nft_network_json(const struct nft_network *network) {
    char address[INET_ADDRSTRLEN];
    address_of(network, address);
    return network->bits == 32 ? json_string(address)
                               : json_pack("{s:{s:s, s:i}}", "prefix", "addr", address, "len", network->bits);
}

void nft_resolvers(struct str *out) {
    cleanup_free char *text = NULL;
    char *rest = NULL, *line;
    if (file_read("/etc/resolv.conf", 65536, &text, NULL, NULL) < 0)
        return;
    str_adds(out, ",");
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        struct in_addr address;
        char word[INET_ADDRSTRLEN], shown[INET_ADDRSTRLEN + 2];
        if (sscanf(line, "nameserver %15[0-9.]", word) != 1 || inet_pton(AF_INET, word, &address) != 1)
            continue;
        (void)snprintf(shown, sizeof shown, ",%s,", word);
        if (!strstr(str_text(out), shown)) /* twice is none of nft's sets */
            str_adds(out, shown + 1);
    }
}
