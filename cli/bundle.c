/* doctor --bundle: what somebody who helps from afar would ask for, in one file that can be read before it is
 * sent. Names of customers and apps stand in it; nothing secret, and no data of apps. */
#include "base/clock.h"
#include "base/conf.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUNDLE_MAX 4194304

static const struct {
    const char *title, *path;
} parts[] = {{"Doctor", "/v1/doctor"},
             {"Status", "/v1/status"},
             {"Inside", "/v1/inside"},
             {"Clock", "/v1/clock"},
             {"Planes", "/v1/planes"},
             {"Nodes", "/v1/nodes"},
             {"Key sets", "/v1/key-sets"},
             {"Releases that are offered", "/v1/apps"},
             {"Dead letters", "/v1/dead-letters"}};

/* Of records that nobody could use: not their bytes, which are somebody's. */
static void drop_bytes(json_t *answer) {
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(answer, "items"), i, item) {
        (void)json_object_del(item, "hex");
    }
}

/* What cannot be had is said in its place: the rest is worth sending. */
static void add_part(struct cli *cli, struct str *out, const char *title, const char *path) {
    cleanup_json json_t *answer = NULL;
    long status = 0;
    int rc = cli_try(cli, "GET", path, NULL, &status, &answer);
    drop_bytes(answer);
    cleanup_free char *text = rc == EXIT_OK && answer ? json_dumps(answer, JSON_INDENT(2)) : NULL;
    str_addf(out, "\n## %s\n\n", title);
    if (text && status < 300)
        str_addf(out, "%s\n", text);
    else
        str_addf(out, "not to be had: %s, status %ld\n", path, status);
}

int bundle_write(struct cli *cli, const char *file) {
    cleanup_str struct str out = STR_INIT(BUNDLE_MAX);
    char stamp[28];
    struct err err = {0};
    str_addf(&out, "# fairlead %s\n\ntime    %s\nserver  %s\n", FAIRLEAD_VERSION,
             clock_text(clock_wall_us(), stamp), cli->server);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        add_part(cli, &out, parts[i].title, parts[i].path);
    if (str_is_cut(&out))
        str_adds(&out, "\n(cut)\n");
    if (file_write(file, str_text(&out), strlen(str_text(&out)), 0600, &err) < 0) {
        (void)fprintf(stderr, "fairlead: %s\n", err.text);
        return EXIT_FAILED;
    }
    printf("%s: read it before you send it; names of customers and apps are in it, nothing secret\n", file);
    return EXIT_OK;
}
