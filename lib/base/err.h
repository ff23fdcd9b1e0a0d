/* What went wrong, and what follows from it.
 *
 * Every function that can fail takes `struct err *err` last. Success leaves it alone; failure sets it and
 * returns a negative number (or NULL) in the same statement: `return err_set(err, ERR_RETRY, "...")`.
 * The way up adds context with err_wrap(). Library code never logs: the program logs once, at its boundary.
 *
 * Text: lower case, cause first, the subject in quotes, no full stop. */
#ifndef FAIRLEAD_BASE_ERR_H
#define FAIRLEAD_BASE_ERR_H

enum err_class {
    ERR_NONE = 0,
    ERR_RETRY, /* outside cause that may pass: try again later, within a budget */
    ERR_PARK,  /* will not pass by itself: this piece of work waits for a person */
    ERR_DEAD,  /* the record itself is unusable: keep its bytes, go on with the next */
    ERR_BUG,   /* a broken invariant of ours */
};

struct err {
    enum err_class cls;
    char code[12];  /* what the other side calls it: an SQLSTATE of PostgreSQL; "" elsewhere */
    char text[480]; /* cut, never overrun: what strangers sent may be quoted in it */
};

const char *err_class_name(enum err_class cls);

/* Sets err (which may be NULL) and returns -1. */
int err_set(struct err *err, enum err_class cls, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same with strerror(errno) behind the text. */
int err_errno(struct err *err, enum err_class cls, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the text that is there; keeps the class; returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define MUST_CHECK __attribute__((warn_unused_result))

#endif
