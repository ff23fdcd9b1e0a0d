/* The node's own configuration repository, by the real git: what a killed writer or a killed git leaves heals
 * (P4). */
#include "base/file.h"
#include "io/git_own.h"
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_NAME "app/compose.yaml"

static char dir[64];

static int make_folder(void **state) {
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/fairlead-git-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return file_remove_tree(dir, NULL);
}

static void leave(const char *name) {
    char path[256];
    struct err err = {0};
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(file_write(path, "", 0, 0600, &err), 0);
}

static int commit(const char *content) {
    struct err err = {0};
    return git_commit_file(dir, "node-x", FILE_NAME, content, "x: revision 1", &err);
}

/* The id of a file on the branch of the node. */
static int find(const char *file, char ret[41]) {
    struct err err = {0};
    return git_tree(dir, "refs/heads/node-x", file, ret, &err);
}

static void what_a_killed_writer_left_is_no_change(void **state) {
    char id[41];
    (void)state;
    assert_int_equal(commit("one"), 0);
    leave("app/compose.yaml.tmp.7");
    assert_int_equal(commit("one"), 0);
    assert_int_equal(commit("two"), 0);
    assert_int_equal(find(FILE_NAME, id), 0);
    assert_int_equal(find("app/compose.yaml.tmp.7", id), -1);
}

static void what_a_killed_git_locked_is_open_again(void **state) {
    static const char *const locks[] = {".git/index.lock", ".git/HEAD.lock", ".git/refs/heads/node-x.lock"};
    char before[41], after[41];
    (void)state;
    assert_int_equal(commit("one"), 0);
    assert_int_equal(find(FILE_NAME, before), 0);
    for (size_t i = 0; i < sizeof locks / sizeof *locks; i++)
        leave(locks[i]);
    assert_int_equal(commit("two"), 0);
    assert_int_equal(find(FILE_NAME, after), 0);
    assert_string_not_equal(before, after);
}

static void a_repository_that_was_half_made_is_made(void **state) {
    char path[128], id[41];
    (void)state;
    (void)snprintf(path, sizeof path, "%s/.git", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(commit("one"), 0);
    assert_int_equal(find(FILE_NAME, id), 0);
}

static void what_is_taken_away_is_gone_from_the_branch(void **state) {
    char id[41];
    (void)state;
    assert_int_equal(commit("one"), 0);
    assert_int_equal(commit(NULL), 0);
    assert_int_equal(find(FILE_NAME, id), -1);
    assert_int_equal(commit(NULL), 0); /* twice is as good as once */
}

/* Killed between writing, or naming, its file and committing it: the next commit of another is not about it.
 */
static void what_another_left_is_told_by_its_own_commit(void **state) {
    char id[41], path[256];
    struct err err = {0};
    (void)state;
    assert_int_equal(commit("one"), 0);
    (void)snprintf(path, sizeof path, "%s/other", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    leave("other/compose.yaml");
    assert_int_equal(git_run(dir, (const char *const[]){"add", "--", "other/compose.yaml", NULL}, ERR_RETRY,
                             NULL, NULL, 60, &err),
                     0);
    assert_int_equal(commit("one"), 0); /* nothing of its own has changed */
    assert_int_equal(commit("two"), 0);
    assert_int_equal(find("other/compose.yaml", id), -1);
    assert_int_equal(git_commit_file(dir, "node-x", "other/compose.yaml", "", "other: revision 1", &err), 0);
    assert_int_equal(find("other/compose.yaml", id), 0);
    assert_int_equal(find(FILE_NAME, id), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_killed_writer_left_is_no_change, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_a_killed_git_locked_is_open_again, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_repository_that_was_half_made_is_made, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_another_left_is_told_by_its_own_commit, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_is_taken_away_is_gone_from_the_branch, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
