/* The small grammars: names, references, identities, numbers, hex. What one accepts holds nothing that any
 * later reader could take for syntax. */
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "model/names.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static bool leaves_its_folder(const char *path) {
    for (const char *part = path; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL) {
        size_t n = strcspn(part, "/");
        if ((n == 1 && part[0] == '.') || (n == 2 && strncmp(part, "..", 2) == 0))
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    cleanup_free char *s = mem_alloc(size + 1);
    memcpy(s, data, size);
    struct uuid id;
    int64_t number;
    uint8_t bytes[16];
    char hex[33];
    if (name_is_valid(s))
        MUST(strlen(s) <= 20 && strspn(s, plain) == strlen(s) && s[0] != '-' && s[strlen(s) - 1] != '-');
    if (name_is_label(s))
        MUST(strlen(s) <= 63 && strspn(s, plain) == strlen(s));
    if (name_is_domain(s))
        MUST(strlen(s) <= 190 && !strpbrk(s, " \t\n\r;{}\"'\\$#/*@_") && !strstr(s, ".."));
    if (name_is_ref(s))
        MUST(s[0] != '-' && !strpbrk(s, " \t\n\r;{}\"'\\$`:~^?*[@") && !strstr(s, ".."));
    if (name_is_path(s))
        MUST(s[0] != '/' && s[0] != '-' && !strstr(s, "//") && !leaves_its_folder(s));
    if (name_is_https_or_path(s))
        MUST(!strpbrk(s, " \t\n\r\"'\\$`@") && (!strstr(s, "://") || str_starts(s, "https://")));
    if (name_is_ipv4(s))
        MUST(strlen(s) <= 15 && strspn(s, "0123456789.") == strlen(s));
    if (name_is_image(s))
        MUST(strstr(s, "@sha256:") && !strpbrk(s, " \t\n\r;{}\"'\\$"));
    if (name_is_loopback(s))
        MUST(!strpbrk(s, " \n"));
    if (uuid_parse(s, &id)) {
        char text[UUID_TEXT_SIZE];
        struct uuid again;
        MUST(uuid_parse(uuid_text(id, text), &again) && uuid_eq(id, again));
    }
    if (str_to_int(s, -1000, 1000, &number))
        MUST(number >= -1000 && number <= 1000);
    if (hex_decode(bytes, sizeof bytes, s)) {
        hex_encode(hex, bytes, sizeof bytes);
        MUST(strcasecmp(hex, s) == 0);
    }
    return 0;
}
