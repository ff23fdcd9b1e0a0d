/* Sources of images, by the real git: fetched by branch or by commit, whole or refused, and told in words. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "io/git.h"
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char dir[64], fork_dir[128], source_dir[128];

static int make_folder(void **state) {
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/fairlead-git-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(fork_dir, sizeof fork_dir, "%s/fork", dir);
    (void)snprintf(source_dir, sizeof source_dir, "%s/source", dir);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    return file_remove_tree(dir, NULL);
}

static void commit(const char *file, const char *content) {
    struct err err = {0};
    assert_int_equal(git_commit_file(fork_dir, "main", file, content, "a change", &err), 0);
}

static int fetch(const char *url, const char *ref, char ret[41], struct err *err) {
    *err = (struct err){0};
    const struct git_remote remote = {.url = url, .proxy = "", .no_proxy = ""};
    return git_fetch(source_dir, &remote, ref, ret, NULL, err);
}

static int check_whole(const char *id, struct err *err) {
    char tree[41];
    *err = (struct err){0};
    assert_int_equal(git_tree(source_dir, id, "web", tree, err), 0);
    return git_check_whole(source_dir, tree, err);
}

static void a_commit_is_fetched_after_its_branch_went_on(void **state) {
    char first[41], second[41], again[41];
    struct err err;
    (void)state;
    commit("web/Dockerfile", "one");
    assert_int_equal(fetch(fork_dir, "main", first, &err), 0);
    commit("web/Dockerfile", "two");
    assert_int_equal(fetch(fork_dir, "main", second, &err), 0);
    assert_string_not_equal(first, second);
    assert_int_equal(file_remove_tree(source_dir, &err), 0); /* another builder, that has nothing */
    assert_int_equal(fetch(fork_dir, first, again, &err), 0);
    assert_string_equal(again, first);
}

static void what_is_not_there_is_said_in_words(void **state) {
    char id[41], nowhere[128];
    struct err err;
    (void)state;
    commit("web/Dockerfile", "one");
    assert_int_equal(fetch(fork_dir, "gone", id, &err), -1);
    assert_int_equal(err.cls, ERR_PARK);
    assert_string_equal(err.text, "there is no branch, tag or commit \"gone\"");
    (void)snprintf(nowhere, sizeof nowhere, "%s/nowhere", dir);
    assert_int_equal(fetch(nowhere, "main", id, &err), -1);
    assert_int_equal(err.cls, ERR_RETRY);
    assert_string_equal(err.text, "it is not there, or is no git repository");
    assert_int_equal(fetch(fork_dir, "main", id, &err), 0);
    assert_int_equal(git_tree(source_dir, id, "api", nowhere, &err), -1);
    assert_non_null(strstr(err.text, "there is no \"api\" in it"));
}

static void a_submodule_is_refused_by_name(void **state) {
    static const char *const link[] = {"git",
                                       "-C",
                                       fork_dir,
                                       "update-index",
                                       "--add",
                                       "--cacheinfo",
                                       "160000,1111111111111111111111111111111111111111,web/theme",
                                       NULL};
    static const char *const save[] = {"git",    "-C", fork_dir, "-c", "user.name=a", "-c", "user.email=a@b",
                                       "commit", "-q", "-m",     "x",  NULL};
    struct proc add = {.argv = link, .timeout_us = 30 * CLOCK_S},
                keep = {.argv = save, .timeout_us = 30 * CLOCK_S};
    char id[41];
    struct err err = {0};
    (void)state;
    commit("web/Dockerfile", "one");
    assert_int_equal(fetch(fork_dir, "main", id, &err), 0);
    assert_int_equal(check_whole(id, &err), 0);
    assert_int_equal(proc_check(&add, ERR_PARK, &err), 0);
    assert_int_equal(proc_check(&keep, ERR_PARK, &err), 0);
    assert_int_equal(fetch(fork_dir, "main", id, &err), 0);
    assert_int_equal(check_whole(id, &err), -1);
    assert_non_null(strstr(err.text, "\"theme\" is a submodule"));
}

static void a_pointer_of_lfs_is_refused_by_name(void **state) {
    char id[41], text[4096];
    struct err err;
    (void)state;
    (void)snprintf(text, sizeof text, "Files begin with\nversion https://git-lfs.github.com/spec/v1\n%02000d",
                   0);
    commit("web/README", text); /* speaks of them, and is none */
    assert_int_equal(fetch(fork_dir, "main", id, &err), 0);
    assert_int_equal(check_whole(id, &err), 0);
    commit("web/logo.png", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n");
    assert_int_equal(fetch(fork_dir, "main", id, &err), 0);
    assert_int_equal(check_whole(id, &err), -1);
    assert_non_null(strstr(err.text, "\"logo.png\" is a pointer of Git LFS"));
}

static void attributes_leave_nothing_out(void **state) {
    char id[41], path[160], to[128];
    cleanup_free char *text = NULL;
    size_t n;
    struct err err;
    (void)state;
    commit("web/.gitattributes", "notes export-ignore\nversion export-subst\n");
    commit("web/notes", "kept");
    commit("web/version", "$Format:%H$");
    assert_int_equal(fetch(fork_dir, "main", id, &err), 0);
    (void)snprintf(to, sizeof to, "%s/out", dir);
    assert_int_equal(git_export(source_dir, id, "web", to, &err), 0);
    (void)snprintf(path, sizeof path, "%s/notes", to);
    assert_true(file_exists(path));
    (void)snprintf(path, sizeof path, "%s/version", to);
    assert_int_equal(file_read(path, 100, &text, &n, &err), 0);
    assert_string_equal(text, "$Format:%H$");
}

/* F1: the root is a folder too, and a Dockerfile may lie outside the context. */
static void a_source_may_be_all_of_a_repository(void **state) {
    char id[41], tree[41], whole[41], to[128], file[160];
    cleanup_free char *text = NULL;
    size_t n;
    struct err err;
    (void)state;
    commit("web/index", "page");
    commit("docker/web.Dockerfile", "FROM x");
    assert_int_equal(fetch(fork_dir, "main", id, &err), 0);
    assert_int_equal(git_tree(source_dir, id, ".", whole, &err), 0);
    assert_int_equal(git_tree(source_dir, id, "web", tree, &err), 0);
    assert_string_not_equal(whole, tree);
    (void)snprintf(to, sizeof to, "%s/all", dir);
    assert_int_equal(git_export(source_dir, id, ".", to, &err), 0);
    (void)snprintf(file, sizeof file, "%s/web/index", to);
    assert_true(file_exists(file));
    (void)snprintf(file, sizeof file, "%s/Dockerfile", dir);
    assert_int_equal(git_export_file(source_dir, id, "docker/web.Dockerfile", file, &err), 0);
    assert_int_equal(file_read(file, 100, &text, &n, &err), 0);
    assert_string_equal(text, "FROM x");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_commit_is_fetched_after_its_branch_went_on, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_said_in_words, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_submodule_is_refused_by_name, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_pointer_of_lfs_is_refused_by_name, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(attributes_leave_nothing_out, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_source_may_be_all_of_a_repository, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
