/* The support bundle: what somebody who helps from afar would ask for, in one file that can be read by
 * whoever decides whether to send it. Nothing secret, and no data of apps. */
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "host/host.h"
#include "io/compose.h"
#include "io/engine.h"
#include "node/document.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#define BUNDLE_MAX 4194304
#define ENGINE_US (5 * CLOCK_S)

/* Passwords may stand in these, and before the @ of any address: only that they are set is told. */
static bool is_hidden(const char *option, const char *value) {
    static const char *const hidden[] = {"proxy", "build-args"};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (str_eq(hidden[i], option))
            return true;
    return strstr(value, "://") && strchr(value, '@');
}

static void add_program(const struct host *host, struct str *out) {
    struct utsname system;
    char stamp[28];
    str_addf(out, "# fairlead-%s %s\n\ntime        %s\n", host->conf.program, FAIRLEAD_VERSION,
             clock_text(clock_wall_us(), stamp));
    if (uname(&system) == 0)
        str_addf(out, "kernel      %s %s\n", system.release, system.machine);
    cleanup_free char *release = NULL;
    if (file_read("/etc/os-release", 8192, &release, NULL, NULL) == 0) {
        const char *name = strstr(release, "PRETTY_NAME=");
        if (name)
            str_addf(out, "system      %.*s\n", (int)strcspn(name + 12, "\n"), name + 12);
    }
    str_adds(out, "\n## Options\n\n");
    for (const struct conf_row *row = host->conf.options; row && row->name; row++) {
        const char *value = conf_get(host->conf.options, row->name);
        str_addf(out, "%-16s %s\n", row->name, *value && is_hidden(row->name, value) ? "(set)" : value);
    }
}

static void add_identity(const struct host *host, struct str *out) {
    struct node_identity node;
    struct cert_facts facts;
    struct err err = {0};
    char stamp[28], hex[UUID_HEX_SIZE];
    str_adds(out, "\n## Node\n\n");
    if (node_load(host->conf.machine.state, &node, &err) < 0) {
        str_addf(out, "%s\n", err.text);
        return;
    }
    str_addf(
        out,
        "name        %s\nid          %s\naddress     %s\ncoordinator %s\nkafka       %s\nplane       %s\n",
        node.name, uuid_hex(node.id, hex), node.address, node.url, node.brokers,
        node.is_private ? "private" : "of the provider");
    if (*node.cert && node_certificate(&node, &facts, &err) == 0)
        str_addf(out, "certificate until %s, SHA-256 %s\n", clock_text(facts.until_us, stamp),
                 facts.fingerprint);
}

static void add_machine(const struct host *host, struct str *out) {
    const struct step_machine *machine = &host->conf.machine;
    cleanup_str struct str lacks = STR_INIT(1000);
    struct err err = {0};
    struct statvfs fs;
    long status = 0;
    cleanup_json json_t *version = NULL;
    host_self_test(host, &lacks);
    str_addf(out, "\n## Machine\n\nlacks       %s\n", lacks.n ? str_text(&lacks) : "nothing");
    if (statvfs(machine->state, &fs) == 0)
        str_addf(out, "disk        %llu MB free for its state\n",
                 (unsigned long long)((uint64_t)fs.f_bavail * fs.f_frsize / 1048576));
    str_addf(out, "memory      %llu MB free\n",
             (unsigned long long)((uint64_t)sysconf(_SC_AVPHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) /
                                  1048576));
    if (engine_call(machine->engine_socket, "GET", "/version", NULL, ENGINE_US, &status, &version, &err) == 0)
        str_addf(out, "engine      %s, API %s\n",
                 json_str(version, "Version") ? json_str(version, "Version") : "?",
                 json_str(version, "ApiVersion") ? json_str(version, "ApiVersion") : "?");
    else
        str_addf(out, "engine      %s\n", err.text);
    str_addf(out, "compose     %s\n", compose_driver() ? compose_driver()->name : "none");
}

static void add_document(void *arg, const Fairlead__V1__Document *document, bool was_healthy) {
    char hex[UUID_HEX_SIZE];
    hex_encode(hex, document->instance.data, document->instance.len);
    str_addf(arg, "%s %-11s set %s  epoch %u  revision %llu  %s\n", hex, document->kind,
             keeper_letter(document), document->epoch, (unsigned long long)document->revision,
             document->absent ? "to be absent"
             : was_healthy    ? "was as wanted"
                              : "not yet as wanted");
}

static void add_documents(const struct host *host, struct str *out) {
    struct node_identity node;
    struct err err = {0};
    str_adds(out, "\n## Documents\n\n");
    if (node_load(host->conf.machine.state, &node, &err) < 0 ||
        node_document_each(&node, host->conf.machine.state, add_document, out, &err) < 0)
        str_addf(out, "%s\n", err.text);
}

int host_bundle(const struct host *host, const char *path) {
    struct err err = {0};
    cleanup_str struct str out = STR_INIT(BUNDLE_MAX);
    add_program(host, &out);
    add_identity(host, &out);
    add_machine(host, &out);
    add_documents(host, &out);
    if (host->conf.tell)
        host->conf.tell(host->conf.arg, &out);
    if (file_write(path, str_text(&out), out.n, 0600, &err) < 0) {
        (void)fprintf(stderr, "fairlead-%s: %s\n", host->conf.program, err.text);
        return 1;
    }
    (void)fputs(str_text(&out), stdout);
    (void)fprintf(stderr, "this stands in %s now, for you to read and to send; nothing was sent\n", path);
    return 0;
}
