/* What a Dockerfile may not hold, because the Engine's classic builder, by which images are built, would not
 * do it and not say so: of a heredoc it runs the first line and leaves out the others (Docker 26.1.5; 20.10
 * refuses it). What it refuses by itself (RUN --mount) is left to it. */
#ifndef FAIRLEAD_MODEL_DOCKERFILE_H
#define FAIRLEAD_MODEL_DOCKERFILE_H

/* The number, from 1, of the first line where RUN, COPY or ADD begins a heredoc; 0: none does. As BuildKit
 * reads it (frontend/dockerfile/parser): a word of its own, outside quotes, `<<NAME`, `<<-NAME` or with a
 * number before. */
long dockerfile_heredoc(const char *text);

#endif
