/* cmocka with what its header needs, and nothing else. */
#ifndef FAIRLEAD_TESTS_SUPPORT_CHECK_H
#define FAIRLEAD_TESTS_SUPPORT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four above first. */
#include <cmocka.h>

#endif
