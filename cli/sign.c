/* sign: a customer's second signature, on a machine of its own and without a server. */
#include "io/sign.h"

#include "base/file.h"
#include "cli/cli.h"
#include "model/countersign.h"

#include <stdio.h>
#include <string.h>

#define FILE_MAX 4194304

static int fail(const struct err *err) {
    (void)fprintf(stderr, "fairlead: %s\n", err->text);
    return EXIT_FAILED;
}

static int make_key(const char *path, struct err *err) {
    struct sign_keys keys;
    char hex[2 * SIGN_PUBLIC_SIZE + 1];
    if (sign_keys_ensure(&keys, path, NULL, err) < 0)
        return fail(err);
    hex_encode(hex, keys.sign_public, sizeof keys.sign_public);
    printf("%s\n", hex);
    return EXIT_OK;
}

int sign_file(struct cli *cli, const struct command *command) {
    struct err err = {0};
    struct sign_keys keys;
    const char *path = cli_option(cli, "key", NULL);
    uint8_t signature[SIGN_SIZE];
    char hex[2 * SIGN_SIZE + 1], name[COUNTERSIGN_NAME_SIZE];
    cleanup_free char *text = NULL;
    size_t n;
    if (cli_flag(cli, "make-key"))
        return make_key(cli->args[0], &err);
    if (!path)
        return cli_usage(command, "--key FILE is required: \"fairlead sign --make-key FILE\" makes it");
    if (sign_keys_load(&keys, path, &err) < 0 || file_read(cli->args[0], FILE_MAX, &text, &n, &err) < 0)
        return fail(&err);
    sign_make(&keys, COUNTERSIGN_TYPE, text, n, signature);
    hex_encode(hex, signature, sizeof signature);
    printf("%s\n", hex);
    (void)fprintf(stderr, "put this into %s.sig, in the agent's folder of signatures\n",
                  countersign_name(text, name));
    return EXIT_OK;
}
