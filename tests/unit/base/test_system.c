/* Files that must survive, children that must not, settings and their order. */
#include "base/clock.h"
#include "base/conf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/retry.h"
#include "base/str.h"
#include "tests/support/check.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static int make_folder(void **state) {
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/fairlead-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return file_remove_tree(folder, NULL);
}

static const char *in_folder(char out[128], const char *name) {
    (void)snprintf(out, 128, "%s/%s", folder, name);
    return out;
}

static void a_file_is_replaced_whole_with_its_mode(void **state) {
    char path[128];
    struct stat st;
    struct err err = {0};
    cleanup_free char *text = NULL;
    (void)state;
    assert_int_equal(file_write(in_folder(path, "f"), "old", 3, 0644, &err), 0);
    assert_int_equal(file_write(path, "newer", 5, 0600, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(file_read(path, 10, &text, NULL, &err), 0);
    assert_string_equal(text, "newer");
    char *none = NULL;
    assert_int_equal(file_read(path, 4, &none, NULL, &err), -1);
    assert_non_null(strstr(err.text, "larger than 4"));
}

static void a_key_that_others_may_read_is_refused(void **state) {
    char path[128];
    struct err err = {0};
    char *text = NULL;
    (void)state;
    assert_int_equal(file_write(in_folder(path, "key"), "secret", 6, 0640, &err), 0);
    assert_int_equal(file_read_secret(path, 100, &text, NULL, &err), -1);
    assert_non_null(strstr(err.text, "chmod 600"));
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(file_read_secret(path, 100, &text, NULL, &err), 0);
    free(text);
}

static bool is_alive(int64_t pid) {
    char path[64], line[256] = "";
    (void)snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    cleanup_fclose FILE *f = fopen(path, "re");
    return f && fgets(line, sizeof line, f) && !strstr(line, ") Z ");
}

static void a_child_is_killed_with_its_whole_group(void **state) {
    char path[128];
    cleanup_free char *text = NULL;
    struct err err = {0};
    int64_t pid;
    (void)state;
    /* The grandchild writes its number and would live for ever. */
    const char *const argv[] = {"sh", "-c", "tail -f /dev/null & echo $! >\"$0\"; wait",
                                in_folder(path, "pid"), NULL};
    struct proc proc = {.argv = argv, .timeout_us = CLOCK_S};
    assert_int_equal(proc_run(&proc, &err), -1);
    assert_int_equal(err.cls, ERR_RETRY);
    assert_int_equal(file_read(path, 20, &text, NULL, &err), 0);
    text[strcspn(text, "\n")] = '\0';
    assert_true(str_to_int(text, 2, INT32_MAX, &pid));
    /* Killed is not yet reaped, and whoever adopted it may be late: a zombie runs nothing. */
    int64_t deadline = clock_mono_us() + 10 * CLOCK_S;
    while (is_alive(pid) && clock_mono_us() < deadline)
        (void)sched_yield();
    assert_false(is_alive(pid));
}

static void a_child_says_how_it_ended(void **state) {
    struct err err = {0};
    cleanup_str struct str out = STR_INIT(1000), log = STR_INIT(1000);
    (void)state;
    const char *const argv[] = {"sh", "-c", "echo out; echo one >&2; echo two >&2; exit 3", NULL};
    struct proc proc = {.argv = argv, .timeout_us = 10 * CLOCK_S, .out = &out, .log = &log};
    assert_int_equal(proc_check(&proc, ERR_PARK, &err), -1);
    assert_int_equal(proc.status, 3);
    assert_string_equal(str_text(&out), "out\n");
    assert_string_equal(err.text, "\"sh\" failed with status 3: two");
    const char *const missing[] = {"/nonexistent/program", NULL};
    struct proc none = {.argv = missing, .timeout_us = CLOCK_S};
    assert_int_equal(proc_run(&none, &err), -1);
    assert_int_equal(err.cls, ERR_PARK);
}

static void output_stops_at_its_ceiling_and_the_child_ends(void **state) {
    struct err err = {0};
    cleanup_str struct str out = STR_INIT(100000);
    (void)state;
    const char *const argv[] = {"head", "-c", "5000000", "/dev/zero", NULL};
    struct proc proc = {.argv = argv, .timeout_us = 20 * CLOCK_S, .out = &out};
    assert_int_equal(proc_run(&proc, &err), 0);
    assert_int_equal(proc.status, 0);
    assert_true(str_is_cut(&out));
    assert_true(out.n <= 100000);
}

static void delays_grow_to_a_cap_and_never_collapse(void **state) {
    (void)state;
    for (int attempt = 1; attempt < 40; attempt++)
        for (uint64_t r = 0; r < 50; r++) {
            int64_t delay = retry_delay_us(attempt, CLOCK_S, 60 * CLOCK_S, r * 7919);
            assert_true(delay >= CLOCK_S / 2 && delay <= 60 * CLOCK_S);
        }
}

/* A program that runs reads them again: some count at once, of others it is told that they will. */
static void settings_are_read_again(void **state) {
    char path[128];
    struct err err = {0};
    cleanup_str struct str later = STR_INIT(100), none = STR_INIT(100);
    int args;
    bool help;
    struct conf_row rows[] = {CONF_TEXT("name", "d", ""),
                              CONF_LIVE_CHOICE("level", "info", "", "info warn"),
                              CONF_LIVE_LIST("parts", "", "", "a b"),
                              {0}};
    (void)state;
    assert_int_equal(file_write(in_folder(path, "again"), "name=a\n", 7, 0600, &err), 0);
    char *argv[] = {"p", "--config", path, "run", "--parts=a", NULL};
    assert_int_equal(conf_read(rows, 5, argv, &args, &help, &err), 0);
    assert_int_equal(args, 1);
    assert_string_equal(argv[1], "run");
    assert_int_equal(conf_reload(rows, &none, &err), 0);
    assert_int_equal(none.n, 0);
    const char other[] = "name=b\nlevel=warn\nparts=b\n";
    assert_int_equal(file_write(path, other, strlen(other), 0600, &err), 0);
    assert_int_equal(conf_reload(rows, &later, &err), 0);
    assert_string_equal(conf_get(rows, "level"), "warn");
    assert_string_equal(conf_get(rows, "parts"), "a"); /* the command line comes first, as it did */
    assert_string_equal(conf_get(rows, "name"), "a");
    assert_string_equal(str_text(&later), " name");
    assert_int_equal(file_write(path, "level=loud\n", 11, 0600, &err), 0);
    assert_int_equal(conf_reload(rows, &none, &err), -1);
    assert_non_null(strstr(err.text, "must be one of: info warn"));
    assert_string_equal(conf_get(rows, "level"), "warn");
    conf_release(rows);
}

static void settings_come_in_their_order(void **state) {
    char path[128], option[160];
    struct err err = {0};
    int args;
    bool help;
    struct conf_row rows[] = {CONF_TEXT("name", "d", ""),
                              CONF_NUMBER("count", "5", "", 1, 9),
                              CONF_CHOICE("level", "info", "", "info warn"),
                              CONF_TEXT("must", NULL, ""),
                              {0}};
    (void)state;
    const char text[] = "# comment\nname = from file\ncount=7\n";
    assert_int_equal(file_write(in_folder(path, "conf"), text, strlen(text), 0600, &err), 0);
    (void)snprintf(option, sizeof option, "--config=%s", path);
    char *argv[] = {"p", option, "command", "--must", "x", "--count=9", NULL};
    assert_int_equal(setenv("FAIRLEAD_NAME", "from env", 1), 0);
    assert_int_equal(conf_read(rows, 6, argv, &args, &help, &err), 0);
    assert_int_equal(args, 1);
    assert_string_equal(argv[1], "command");
    assert_string_equal(conf_get(rows, "name"), "from env");
    assert_int_equal(conf_int(rows, "count"), 9);
    conf_release(rows);
    char *unknown[] = {"p", "--nonsense=1", NULL};
    assert_int_equal(conf_read(rows, 2, unknown, &args, &help, &err), -1);
    char *word[] = {"p", "--count", "many", "--must=1", NULL};
    assert_int_equal(conf_read(rows, 4, word, &args, &help, &err), -1);
    assert_non_null(strstr(err.text, "must be a number"));
    conf_release(rows);
    char *large[] = {"p", "--count", "10", "--must=1", NULL};
    assert_int_equal(conf_read(rows, 4, large, &args, &help, &err), -1);
    assert_non_null(strstr(err.text, "from 1 to 9"));
    conf_release(rows);
    char *loud[] = {"p", "--level", "i", "--must=1", NULL};
    assert_int_equal(conf_read(rows, 4, loud, &args, &help, &err), -1);
    assert_non_null(strstr(err.text, "must be one of: info warn"));
    conf_release(rows);
    char *bare[] = {"p", NULL};
    assert_int_equal(conf_read(rows, 1, bare, &args, &help, &err), -1);
    assert_non_null(strstr(err.text, "FAIRLEAD_MUST"));
    conf_release(rows);
}

static void a_day_is_one_of_the_calendar(void **state) {
    static const char *const wrong[] = {"",
                                        "2026-06-31",
                                        "2026-13-01",
                                        "2026-12-24T10:00:00",
                                        "2026-12-24 ",
                                        "2026-12-24T10:00:00+01:00",
                                        "tomorrow",
                                        "2026",
                                        "1969-12-31"};
    int64_t us = 0;
    (void)state;
    assert_true(clock_parse("1970-01-02", &us));
    assert_int_equal(us, CLOCK_DAY);
    assert_true(clock_parse("1970-01-02T00:00:01Z", &us));
    assert_int_equal(us, CLOCK_DAY + CLOCK_S);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (clock_parse(wrong[i], &us))
            fail_msg("accepted \"%s\"", wrong[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_is_one_of_the_calendar),
        cmocka_unit_test(a_file_is_replaced_whole_with_its_mode),
        cmocka_unit_test(a_key_that_others_may_read_is_refused),
        cmocka_unit_test(a_child_is_killed_with_its_whole_group),
        cmocka_unit_test(a_child_says_how_it_ended),
        cmocka_unit_test(output_stops_at_its_ceiling_and_the_child_ends),
        cmocka_unit_test(delays_grow_to_a_cap_and_never_collapse),
        cmocka_unit_test(settings_are_read_again),
        cmocka_unit_test(settings_come_in_their_order),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
