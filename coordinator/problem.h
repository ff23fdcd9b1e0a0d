/* RFC 9457 problem documents: a stable code, a status, and a sentence for a person without IT staff. */
#ifndef FAIRLEAD_COORDINATOR_PROBLEM_H
#define FAIRLEAD_COORDINATOR_PROBLEM_H

/* JSON text, malloc'd. */
char *problem_text(int status, const char *code, const char *sentence);

#endif
