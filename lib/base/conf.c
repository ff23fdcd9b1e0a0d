#include "base/conf.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static struct conf_row *find(struct conf_row *rows, const char *name, size_t n) {
    for (; rows->name; rows++)
        if (strlen(rows->name) == n && strncmp(rows->name, name, n) == 0)
            return rows;
    return NULL;
}

static void set(struct conf_row *row, const char *value) {
    free(row->value);
    row->value = mem_strdup(value);
}

static void env_name(const char *name, char out[80]) {
    int n = snprintf(out, 80, "FAIRLEAD_%s", name);
    for (int i = 0; i < n && i < 79; i++)
        out[i] = out[i] == '-' ? '_' : (char)toupper((unsigned char)out[i]);
}

static int read_file(struct conf_row *rows, const char *path, struct err *err) {
    cleanup_free char *text = NULL;
    char *save = NULL;
    if (file_read(path, 65536, &text, NULL, err) < 0)
        return -1;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        line += strspn(line, " \t");
        size_t n = strcspn(line, " \t=");
        char *value = line + n + strspn(line + n, " \t");
        if (*line == '#' || !*line)
            continue;
        if (*value != '=')
            return err_set(err, ERR_PARK, "%s: \"%.60s\" is not \"name = value\"", path, line);
        struct conf_row *row = find(rows, line, n);
        if (!row)
            return err_set(err, ERR_PARK, "%s: \"%.*s\" is not a setting", path, (int)n, line);
        value++;
        value += strspn(value, " \t");
        for (size_t end = strlen(value); end && isspace((unsigned char)value[end - 1]);)
            value[--end] = '\0';
        set(row, value);
    }
    return 0;
}

static int read_args(struct conf_row *rows, int argc, char **argv, int *ret_args, bool *ret_help,
                     bool file_only, struct err *err) {
    int kept = 1;
    for (int i = 1; i < argc; i++) {
        char *arg = argv[i];
        if (strncmp(arg, "--", 2) != 0 || !arg[2]) {
            if (!file_only)
                argv[kept] = arg;
            kept++;
            continue;
        }
        size_t n = strcspn(arg + 2, "=");
        if (strcmp(arg, "--version") == 0) {
            printf("Fairlead %s\n", FAIRLEAD_VERSION);
            exit(fflush(stdout) == 0 ? 0 : 1);
        }
        if (strcmp(arg, "--help") == 0) {
            *ret_help = true;
            continue;
        }
        bool config = n == 6 && strncmp(arg + 2, "config", 6) == 0;
        struct conf_row *row = config ? NULL : find(rows, arg + 2, n);
        if (!config && !row)
            return err_set(err, ERR_PARK, "\"--%.*s\" is not an option; --help lists them", (int)n, arg + 2);
        const char *value = arg[2 + n] ? arg + 3 + n : i + 1 < argc ? argv[++i] : NULL;
        if (!value)
            return err_set(err, ERR_PARK, "\"--%.*s\" needs a value", (int)n, arg + 2);
        if (config && file_only && read_file(rows, value, err) < 0)
            return -1;
        if (!config && !file_only)
            set(row, value);
    }
    *ret_args = kept - 1;
    return 0;
}

static bool is_choice(const char *choices, const char *value, size_t value_n) {
    for (size_t n; *choices; choices += n + (choices[n] == ' ')) {
        n = strcspn(choices, " ");
        if (value_n == n && strncmp(choices, value, n) == 0)
            return true;
    }
    return false;
}

/* The first word of a value that is no choice; NULL: all are. */
static const char *find_wrong(const struct conf_row *row, const char *value, size_t *ret_n) {
    for (size_t n;; value += n + 1) {
        n = row->list ? strcspn(value, ",") : strlen(value);
        *ret_n = n;
        if (!is_choice(row->choices, value, n))
            return value;
        if (!value[n])
            return NULL;
    }
}

static int read_all(struct conf_row *rows, int argc, char **argv, int *ret_args, bool *ret_help,
                    struct err *err) {
    *ret_help = false;
    if (read_args(rows, argc, argv, ret_args, ret_help, true, err) < 0)
        return -1;
    for (struct conf_row *row = rows; row->name; row++) {
        char name[80];
        env_name(row->name, name);
        if (getenv(name))
            set(row, getenv(name));
    }
    if (read_args(rows, argc, argv, ret_args, ret_help, false, err) < 0)
        return -1;
    for (const struct conf_row *row = rows; row->name && !*ret_help; row++) {
        int64_t n;
        const char *value = row->value ? row->value : row->otherwise;
        char name[80];
        env_name(row->name, name);
        if (!value)
            return err_set(err, ERR_PARK, "setting \"%s\" is required: --%s VALUE or %s", row->name,
                           row->name, name);
        if (row->most && !str_to_int(value, row->least, row->most, &n))
            return err_set(err, ERR_PARK, "setting \"%s\" must be a number from %lld to %lld, not \"%.60s\"",
                           row->name, (long long)row->least, (long long)row->most, value);
        size_t wrong_n = 0;
        bool none = row->list && !*value && !*row->otherwise;
        const char *wrong = row->choices && !none ? find_wrong(row, value, &wrong_n) : NULL;
        if (wrong)
            return err_set(err, ERR_PARK, "setting \"%s\" must be %s: %s; not \"%.*s\"", row->name,
                           row->list ? "some of, with commas" : "one of", row->choices,
                           (int)(wrong_n < 60 ? wrong_n : 60), wrong);
    }
    return 0;
}

/* What the program was started with, before its words were moved to the front: for conf_reload(). */
static struct {
    char **argv;
    int argc;
} started;

static void remember(int argc, char **argv) {
    free(started.argv);
    started.argv = mem_alloc((size_t)(argc + 1) * sizeof *argv);
    memcpy(started.argv, argv, (size_t)argc * sizeof *argv);
    started.argc = argc;
}

int conf_read(struct conf_row *rows, int argc, char **argv, int *ret_args, bool *ret_help, struct err *err) {
    remember(argc, argv);
    return read_all(rows, argc, argv, ret_args, ret_help, err);
}

static const char *value_of(const struct conf_row *row) {
    return row->value ? row->value : row->otherwise;
}

int conf_reload(struct conf_row *rows, struct str *later, struct err *err) {
    size_t n = 0;
    int args;
    bool help;
    while (rows[n].name)
        n++;
    cleanup_free struct conf_row *now = mem_alloc((n + 1) * sizeof *now);
    cleanup_free char **argv = mem_alloc((size_t)(started.argc + 1) * sizeof *argv);
    memcpy(now, rows, (n + 1) * sizeof *now);
    memcpy(argv, started.argv, (size_t)started.argc * sizeof *argv);
    for (size_t i = 0; i < n; i++)
        now[i].value = NULL;
    int rc = read_all(now, started.argc, argv, &args, &help, err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (str_eq(value_of(&now[i]), value_of(&rows[i])))
            continue;
        if (rows[i].live)
            set(&rows[i], value_of(&now[i]));
        else
            str_addf(later, " %s", rows[i].name);
    }
    conf_release(now);
    return rc;
}

const char *conf_get(const struct conf_row *rows, const char *name) {
    for (; rows->name; rows++)
        if (str_eq(rows->name, name))
            return rows->value ? rows->value : rows->otherwise;
    abort();
}

int64_t conf_int(const struct conf_row *rows, const char *name) {
    int64_t n = 0;
    (void)str_to_int(conf_get(rows, name), INT64_MIN, INT64_MAX, &n);
    return n;
}

void conf_release(struct conf_row *rows) {
    for (; rows->name; rows++) {
        free(rows->value);
        rows->value = NULL;
    }
}

/* What it means, and what it may be. */
static void print_meaning(const struct conf_row *row, FILE *to) {
    (void)fprintf(to, "%s", row->help);
    if (row->choices)
        (void)fprintf(to, " (%s: %s)", row->list ? "some of" : "one of", row->choices);
    if (row->live)
        (void)fprintf(to, "; read again on SIGHUP");
}

void conf_print_help(const struct conf_row *rows, FILE *to) {
    for (; rows->name; rows++) {
        (void)fprintf(to, "  --%-16s ", rows->name);
        print_meaning(rows, to);
        (void)fprintf(to, "%s%s%s\n", rows->otherwise ? " [" : "",
                      rows->otherwise ? rows->otherwise : " (required)", rows->otherwise ? "]" : "");
    }
}

void conf_print_markdown(const struct conf_row *rows, FILE *to) {
    (void)fprintf(to, "| option | environment | default | meaning |\n| --- | --- | --- | --- |\n");
    for (; rows->name; rows++) {
        char name[80];
        env_name(rows->name, name);
        (void)fprintf(to, "| `--%s` | `%s` | %s%s%s | ", rows->name, name, rows->otherwise ? "`" : "",
                      rows->otherwise ? rows->otherwise : "required", rows->otherwise ? "`" : "");
        print_meaning(rows, to);
        (void)fprintf(to, " |\n");
    }
}

void conf_print_sample(const struct conf_row *rows, const char *program, FILE *to) {
    (void)fprintf(
        to,
        "# Options of %s, each with its default. Take the # away to set one; the command line and the\n"
        "# environment come first. \"%s --help\" says the same.\n",
        program, program);
    for (; rows->name; rows++) {
        (void)fprintf(to, "\n# ");
        print_meaning(rows, to);
        (void)fprintf(to, "%s\n#%s = %s\n", rows->otherwise ? "" : " (required)", rows->name,
                      rows->otherwise ? rows->otherwise : "");
    }
}
