#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *mem_alloc(size_t size) {
    void *p = calloc(1, size ? size : 1);
    if (!p)
        abort();
    return p;
}

void *mem_grow(void *p, size_t n, size_t size) {
    if (size && n > SIZE_MAX / size)
        abort();
    void *q = realloc(p, n && size ? n * size : 1);
    if (!q)
        abort();
    return q;
}

char *mem_strdup(const char *s) {
    if (!s)
        return NULL;
    size_t n = strlen(s) + 1;
    return memcpy(mem_alloc(n), s, n);
}

void mem_free_p(void *p) {
    void *q;
    memcpy(&q, p, sizeof q);
    free(q);
}

void mem_fclose_p(FILE **f) {
    if (*f)
        (void)fclose(*f);
}

void mem_close_p(int *fd) {
    if (*fd >= 0)
        (void)close(*fd);
}

/* Blocks double from 4 KiB; one larger request gets a block of its own. */
struct arena_block {
    struct arena_block *next;
    size_t used, size;
    max_align_t data[];
};

void *arena_alloc(struct arena *arena, size_t size) {
    size_t align = sizeof(max_align_t);
    size = (size + align - 1) / align * align;
    struct arena_block *b = arena->head;
    if (!b || b->size - b->used < size) {
        size_t want = b ? b->size * 2 : 4096;
        if (want > 1048576)
            want = 1048576;
        if (want < size)
            want = size;
        struct arena_block *nb = mem_alloc(sizeof *nb + want);
        nb->size = want;
        nb->next = b;
        arena->head = b = nb;
    }
    void *p = (char *)b->data + b->used;
    b->used += size;
    arena->used += size;
    return p;
}

char *arena_strndup(struct arena *arena, const char *s, size_t n) {
    char *p = arena_alloc(arena, n + 1);
    memcpy(p, s, n);
    return p;
}

char *arena_strdup(struct arena *arena, const char *s) {
    return s ? arena_strndup(arena, s, strlen(s)) : NULL;
}

void *arena_memdup(struct arena *arena, const void *p, size_t n) {
    void *q = arena_alloc(arena, n);
    if (n)
        memcpy(q, p, n);
    return q;
}

char *arena_printf(struct arena *arena, const char *fmt, ...) {
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    char *p = arena_alloc(arena, (size_t)n + 1);
    (void)vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}

void arena_release(struct arena *arena) {
    for (struct arena_block *b = arena->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    arena->head = NULL;
    arena->used = 0;
}

void *vec_add_size(struct arena *arena, struct vec *vec, size_t size) {
    if (vec->n == vec->cap) {
        size_t cap = vec->cap ? vec->cap * 2 : 8;
        void *items = arena_alloc(arena, cap * size);
        if (vec->n)
            memcpy(items, vec->items, vec->n * size);
        vec->items = items;
        vec->cap = cap;
    }
    void *item = (char *)vec->items + size * vec->n++;
    return memset(item, 0, size); /* it may have been another's, before items were taken off the end */
}
