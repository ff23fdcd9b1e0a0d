#include "model/countersign.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 2097152 /* a document is smaller */

/* Lines, and nothing that moves a cursor. */
static bool is_readable(const char *text) {
    for (; *text; text++)
        if (((unsigned char)*text < 0x20 && *text != '\n' && *text != '\t') || *text == 0x7f)
            return false;
    return true;
}

const char *countersign_text(const Fairlead__V1__Stack *stack, struct arena *arena) {
    cleanup_str struct str text = STR_INIT(TEXT_MAX);
    /* What stands in one line is one line. */
    bool plain = str_is_text(stack->app) && str_is_text(stack->version) && str_is_text(stack->spec);
    str_addf(&text, "app %s %s\n", stack->app, stack->version);
    for (size_t i = 0; i < stack->n_images; i++) { /* in the order of their names (model/message.c) */
        plain = plain && str_is_text(stack->images[i]->key) && str_is_text(stack->images[i]->value);
        str_addf(&text, "image %s %s\n", stack->images[i]->key, stack->images[i]->value);
    }
    str_addf(&text, "\n---- app.yaml, as JSON ----\n%s\n\n---- compose.yaml ----\n%s", stack->spec,
             stack->template_);
    return plain && is_readable(stack->template_) && !str_is_cut(&text) ? arena_strdup(arena, str_text(&text))
                                                                        : NULL;
}

char *countersign_name(const char *text, char out[COUNTERSIGN_NAME_SIZE]) {
    char hex[HASH_HEX_SIZE];
    (void)snprintf(out, COUNTERSIGN_NAME_SIZE, "%.32s", hash_hex(hash_of(text, strlen(text)), hex));
    return out;
}
