#include "base/proc.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENV_MAX 64
#define CANCEL_MS 200 /* how late a cancel may be seen */

/* Between fork and exec only calls that are safe in a copy of a threaded process. */
static void run_child(const struct proc *proc, char *const *env, int in, int out, int log, int fail) {
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(log, 2) < 0)
        goto failed;
    if (proc->dir && chdir(proc->dir) < 0)
        goto failed;
    if (proc->uid && (setgroups(0, NULL) < 0 || setgid(proc->uid) < 0 || setuid(proc->uid) < 0))
        goto failed;
    (void)execvpe(proc->argv[0], (char *const *)(uintptr_t)proc->argv, env);
failed:;
    int code = errno;
    (void)!write(fail, &code, sizeof code);
    _exit(127);
}

static void make_env(const struct proc *proc, const char *env[ENV_MAX], struct str *keep) {
    int n = 0;
    static const char *const inherited[] = {"PATH", "HOME", "LANG", "DOCKER_CONFIG"};
    size_t at[4];
    for (size_t i = 0; i < 4; i++) {
        const char *v = getenv(inherited[i]);
        at[i] = keep->n;
        str_addf(keep, "%s=%s", inherited[i], v ? v : i == 0 ? "/usr/sbin:/usr/bin:/sbin:/bin" : "");
        str_add(keep, "", 1);
    }
    for (size_t i = 0; i < 4; i++)
        env[n++] = keep->s + at[i];
    for (const char *const *e = proc->env; e && *e && n < ENV_MAX - 1; e++)
        env[n++] = *e;
    env[n] = NULL;
}

static void drain(int *fd, struct str *into) {
    char buf[16384];
    ssize_t n = read(*fd, buf, sizeof buf);
    if (n > 0) {
        if (into)
            str_add(into, buf, (size_t)n);
        return;
    }
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    (void)close(*fd);
    *fd = -1;
}

static int reap(pid_t pid) {
    int st;
    while (waitpid(pid, &st, 0) < 0)
        if (errno != EINTR)
            return 255;
    return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}

/* Reads both streams until they close; false when the deadline passed or the caller cancelled. */
static bool collect(const struct proc *proc, int *out, int *log, int64_t deadline) {
    while (*out >= 0 || *log >= 0) {
        int64_t left = deadline - clock_mono_us();
        if (left <= 0 || (proc->cancel && *proc->cancel))
            return false;
        struct pollfd p[2] = {{.fd = *out, .events = POLLIN}, {.fd = *log, .events = POLLIN}};
        if (poll(p, 2, (int)(left / 1000 > CANCEL_MS ? CANCEL_MS : left / 1000 + 1)) < 0 && errno != EINTR)
            return false;
        if (*out >= 0 && p[0].revents)
            drain(out, proc->out ? proc->out : proc->log);
        if (*log >= 0 && p[1].revents)
            drain(log, proc->log);
    }
    return true;
}

/* Streams are often closed just before the end: a program that succeeded must not be killed for it. */
static bool await_end(const struct proc *proc, pid_t pid, int64_t deadline) {
    cleanup_close int fd = pidfd_open(pid, 0); /* readable when it has ended */
    struct pollfd end = {.fd = fd, .events = POLLIN};
    for (;;) {
        int64_t left = (deadline - clock_mono_us()) / 1000;
        if (fd < 0 || left < 0 || (proc->cancel && *proc->cancel))
            return false;
        if (poll(&end, 1, (int)(left < CANCEL_MS ? left + 1 : CANCEL_MS)) > 0)
            return true;
    }
}

static void close_pair(int pair[2]) {
    mem_close_p(&pair[0]);
    mem_close_p(&pair[1]);
}

int proc_run(struct proc *proc, struct err *err) {
    int in[2] = {-1, -1}, out[2] = {-1, -1}, log[2] = {-1, -1}, fail[2] = {-1, -1};
    bool piped = pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(log, O_CLOEXEC) == 0 &&
                 pipe2(fail, O_CLOEXEC) == 0;
    const char *env[ENV_MAX];
    cleanup_str struct str keep = STR_INIT(65536);
    make_env(proc, env, &keep);
    pid_t pid = piped ? fork() : -1;
    if (pid < 0) {
        (void)err_errno(err, ERR_RETRY, "cannot start \"%s\"", proc->argv[0]);
        close_pair(in);
        close_pair(out);
        close_pair(log);
        close_pair(fail);
        return -1;
    }
    if (pid == 0)
        run_child(proc, (char *const *)(uintptr_t)env, in[0], out[1], log[1], fail[1]);
    (void)setpgid(pid, pid);
    (void)close(in[0]);
    (void)close(out[1]);
    (void)close(log[1]);
    (void)close(fail[1]);
    if (proc->input_n)
        (void)!write(in[1], proc->input, proc->input_n);
    (void)close(in[1]);
    int64_t deadline = clock_mono_us() + proc->timeout_us;
    bool whole = collect(proc, &out[0], &log[0], deadline) && await_end(proc, pid, deadline);
    (void)kill(-pid, SIGKILL); /* what it left behind in its group goes too */
    mem_close_p(&out[0]);
    mem_close_p(&log[0]);
    proc->status = reap(pid);
    int code = 0;
    ssize_t n = read(fail[0], &code, sizeof code);
    (void)close(fail[0]);
    if (n == (ssize_t)sizeof code) {
        errno = code;
        return err_errno(err, ERR_PARK, "cannot start \"%s\"", proc->argv[0]);
    }
    if (!whole)
        return err_set(err, ERR_RETRY, "\"%s\" did not end within %lld s and was killed", proc->argv[0],
                       (long long)(proc->timeout_us / CLOCK_S));
    return 0;
}

const char *proc_tail(const char *text, int lines) {
    const char *p = text + strlen(text);
    if (p > text && p[-1] == '\n')
        p--;
    while (p > text) {
        if (p[-1] == '\n' && --lines == 0)
            break;
        p--;
    }
    return p;
}

int proc_check(struct proc *proc, enum err_class cls, struct err *err) {
    cleanup_str struct str own = STR_TAIL(65536);
    struct str *before = proc->log;
    if (!proc->log)
        proc->log = &own;
    int rc = proc_run(proc, err);
    if (rc == 0 && proc->status != 0) {
        const char *last = proc_tail(str_text(proc->log), 1);
        rc = err_set(err, cls, "\"%s\" failed with status %d: %.*s", proc->argv[0], proc->status,
                     (int)strcspn(last, "\r\n"), last);
    }
    proc->log = before;
    return rc;
}

/* Twice forked: the program is nobody's child, and the one between is reaped here. */
int proc_detach(const char *const *argv, struct err *err) {
    int fail[2], code = 0;
    if (pipe2(fail, O_CLOEXEC) < 0)
        return err_errno(err, ERR_RETRY, "cannot start \"%s\"", argv[0]);
    pid_t pid = fork();
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)signal(SIGPIPE, SIG_DFL);
        int null = open("/dev/null", O_RDWR);
        if (setsid() < 0 || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
            _exit(127);
        if (fork() != 0)
            _exit(0);
        (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
        code = errno;
        (void)!write(fail[1], &code, sizeof code);
        _exit(127);
    }
    (void)close(fail[1]);
    ssize_t n = pid > 0 ? read(fail[0], &code, sizeof code) : -1; /* ends when the program has begun */
    (void)close(fail[0]);
    if (pid < 0 || reap(pid) != 0 || n == (ssize_t)sizeof code) {
        errno = n == (ssize_t)sizeof code ? code : errno;
        return err_errno(err, ERR_PARK, "cannot start \"%s\"", argv[0]);
    }
    return 0;
}
