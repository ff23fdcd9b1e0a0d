/* What was fetched of an image that nobody wanted any more does not stay for ever; what is on its way does.
 */
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "io/archive.h"
#include "step/image.h"
#include "step/image_import.h"
#include "tests/support/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void make(const char *state, const char *kind, const char *name, time_t age_s) {
    char path[200];
    struct err err = {0};
    (void)snprintf(path, sizeof path, "%s/%s/%s", state, kind, name);
    assert_int_equal(file_mkdirs(path, 0700, &err), 0);
    (void)snprintf(path, sizeof path, "%s/%s/%s/blob.part", state, kind, name);
    assert_int_equal(file_write(path, "x", 1, 0600, &err), 0);
    (void)snprintf(path, sizeof path, "%s/%s/%s", state, kind, name);
    const struct timespec times[2] = {{time(NULL) - age_s, 0}, {time(NULL) - age_s, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool is_there(const char *state, const char *kind, const char *name) {
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s/%s", state, kind, name);
    return file_exists(path);
}

static void what_nobody_came_back_for_goes(void **state) {
    char folder[] = "/tmp/fairlead-image-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(folder));
    image_sweep(folder); /* nothing was ever fetched here */
    make(folder, "images", "old", 8 * 24 * 3600);
    make(folder, IMAGE_IMPORTED, "old", 31 * 24 * 3600);
    make(folder, IMAGE_IMPORTED, "young", 29 * 24 * 3600);
    make(folder, "images", "young", 6 * 24 * 3600);
    image_sweep(folder);
    assert_false(is_there(folder, "images", "old"));
    assert_false(is_there(folder, IMAGE_IMPORTED, "old"));
    assert_true(is_there(folder, IMAGE_IMPORTED, "young"));
    assert_true(is_there(folder, "images", "young"));
    (void)file_remove_tree(folder, NULL);
}

/* An archive of these members, as a file. */
static void write_archive(const char *path, const struct archive_member *members, size_t n) {
    struct archive_stream *stream;
    struct err err = {0};
    char piece[4096];
    int fd, to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(to >= 0);
    assert_int_equal(archive_open(members, n, &stream, &fd, &err), 0);
    for (ssize_t got; (got = read(fd, piece, sizeof piece)) > 0;)
        assert_int_equal(write(to, piece, (size_t)got), got);
    assert_int_equal(archive_close(stream, &err), 0);
    assert_int_equal(close(to), 0);
}

static void name_blob(const char *text, char name[100], char digest[72]) {
    char hex[HASH_HEX_SIZE];
    (void)hash_hex(hash_sha256(text, strlen(text), "", 0), hex);
    (void)snprintf(name, 100, "blobs/sha256/%s", hex);
    (void)snprintf(digest, 72, "sha256:%s", hex);
}

/* What else is in a file is nobody's here. */
static int pass_over(void *arg, const char *name, int64_t size, const char **ret_path, struct err *err) {
    (void)arg, (void)name, (void)size, (void)ret_path, (void)err;
    return 0;
}
static const struct archive_taker nobody = {.place = pass_over};

static void what_comes_by_file_is_what_its_digests_name(void **state) {
    char folder[] = "/tmp/fairlead-image-XXXXXX", file[100], path[600], good[100], other[100], digest[72],
         none[72];
    struct image_imported count;
    struct err err = {0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(file, sizeof file, "%s/file.tar", folder);
    name_blob("one", good, digest);
    name_blob("two", other, none);
    const struct archive_member members[] = {
        {.name = "index.json", .p = "{}", .n = 2},
        {.name = good, .p = "one", .n = 3},
        {.name = "blobs/sha256/../../../escaped", .p = "x", .n = 1},
        {.name = "/etc/fairlead-escaped", .p = "x", .n = 1},
        {.name = other, .p = "damaged", .n = 7},
    };
    write_archive(file, members, 4);
    assert_int_equal(image_import(folder, file, &nobody, &count, &err), 0);
    assert_int_equal(count.blobs, 1);
    assert_true(image_imported(folder, digest, 3, path));
    assert_false(image_imported(folder, digest, 4, path)); /* not of the size that the manifest says */
    assert_false(image_imported(folder, none, -1, path));
    assert_false(file_exists("/etc/fairlead-escaped"));
    /* A piece that is damaged: those before it stay, and it is not there, nor is a half of it. */
    write_archive(file, members, 5);
    assert_int_equal(image_import(folder, file, &nobody, &count, &err), -1);
    assert_int_equal(err.cls, ERR_PARK);
    assert_true(image_imported(folder, digest, 3, path));
    assert_false(image_imported(folder, none, -1, path));
    (void)strncat(path, ".part", sizeof path - strlen(path) - 1);
    assert_false(file_exists(path));
    /* A file that ends in the middle, and one that is none. */
    assert_int_equal(truncate(file, 1600), 0);
    assert_int_equal(image_import(folder, file, &nobody, &count, &err), -1);
    assert_int_equal(truncate(file, 0), 0);
    assert_int_equal(file_write(file, "no archive at all", 17, 0600, &err), 0);
    assert_int_equal(image_import(folder, file, &nobody, &count, &err), -1);
    assert_int_equal(err.cls, ERR_PARK);
    /* What somebody changes afterwards is not used. */
    assert_true(image_imported(folder, digest, -1, path));
    assert_int_equal(file_write(path, "won", 3, 0600, &err), 0);
    assert_false(image_imported(folder, digest, -1, path));
    image_import_drop(folder, digest);
    assert_false(file_exists(path));
    (void)file_remove_tree(folder, NULL);
}

int main(void) {
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_came_back_for_goes),
        cmocka_unit_test(what_comes_by_file_is_what_its_digests_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
