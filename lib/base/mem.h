/* Memory: allocation that aborts when there is none (work is at-least-once, so a crash is safe), cleanup
 * attributes for early return, and an arena for what lives as long as one batch. */
#ifndef FAIRLEAD_BASE_MEM_H
#define FAIRLEAD_BASE_MEM_H

#include <stddef.h>
#include <stdio.h>

void *mem_alloc(size_t size);                   /* zeroed; never NULL; mem_free() or free() it */
void *mem_grow(void *p, size_t n, size_t size); /* realloc to n * size bytes, checked; never NULL */
char *mem_strdup(const char *s);                /* NULL stays NULL */

void mem_free_p(void *p); /* for the attributes below */
void mem_fclose_p(FILE **f);
void mem_close_p(int *fd);

#define cleanup_free __attribute__((cleanup(mem_free_p)))
#define cleanup_fclose __attribute__((cleanup(mem_fclose_p)))
#define cleanup_close __attribute__((cleanup(mem_close_p)))

/* Takes the pointer out of a cleanup variable: the caller owns it. */
#define mem_steal(p)                                                                                         \
    __extension__({                                                                                          \
        __typeof__(p) mem_stolen_ = (p);                                                                     \
        (p) = NULL;                                                                                          \
        mem_stolen_;                                                                                         \
    })

/* An arena hands out memory that is freed all at once. Not safe between threads. */
struct arena {
    struct arena_block *head;
    size_t used; /* bytes handed out since the last reset, for ceilings */
};

void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned for any type */
char *arena_strdup(struct arena *arena, const char *s);
char *arena_strndup(struct arena *arena, const char *s, size_t n);
void *arena_memdup(struct arena *arena, const void *p, size_t n);
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_release(struct arena *arena);

#define arena_new(arena, type) ((type *)arena_alloc((arena), sizeof(type)))

/* A growing array in an arena: `struct vec` of items of one size. vec_add returns the new, zeroed item;
 * earlier item pointers become stale, so keep indices or arrays of pointers. */
struct vec {
    void *items;
    size_t n, cap;
};
void *vec_add_size(struct arena *arena, struct vec *vec, size_t size);
#define vec_add(arena, vec, type) ((type *)vec_add_size((arena), (vec), sizeof(type)))
#define vec_at(vec, type, i) (&((type *)(vec)->items)[i])

#endif
