/* What the classic builder would leave out without a word is seen, and what only looks like it is not. */
#include "model/dockerfile.h"
#include "tests/support/check.h"

static void a_heredoc_is_seen(void **state) {
    static const struct {
        long line;
        const char *text;
    } cases[] = {
        {2, "FROM x\nRUN <<END\ntrue\nEND\n"},
        {1, "RUN cat <<EOF > /f\nx\nEOF"},
        {1, "run cat <<-'EOF'\n"},
        {1, "RUN 3<<\"A_B\" cat\n"},
        {3, "# RUN <<A\n\nCOPY <<conf /etc/x\n"},
        {1, "  ONBUILD  add <<_x /y\r\n"},
        {3, "ENV A=b \\\n  c=d\nRUN a \\\n  <<E\n"},
        {4, "RUN a && \\\n\\\n  b\nRUN <<E"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (dockerfile_heredoc(cases[i].text) != cases[i].line)
            fail_msg("line %ld, not %ld, of: %s", dockerfile_heredoc(cases[i].text), cases[i].line,
                     cases[i].text);
}

static void what_only_looks_like_one_is_not(void **state) {
    static const char *const cases[] = {
        "",
        "FROM x\n",
        "RUN echo $((1 << 2))\n",
        "RUN echo $((1<<A))\n",
        "RUN cat <<< word\n",
        "RUN echo 'see <<EOF' \" <<EOF\"\n",
        "RUN echo \\\" '\\' x<<EOF\n",
        "ENV A <<EOF\n",
        "# RUN <<EOF\n",
        "   # RUN <<EOF\n",
        "RUNS <<EOF\n",
        "RUN [\"sh\", \"-c\", \" <<EOF\"]\n",
        "RUN a <<\n",
        "LABEL x=\"\\\n <<EOF\"\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (dockerfile_heredoc(cases[i]) != 0)
            fail_msg("a heredoc is seen in: %s", cases[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heredoc_is_seen),
        cmocka_unit_test(what_only_looks_like_one_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
