// The state of the kernel's clock discipline (adjtimex(2)), whose header Swift does not import.
#ifndef WEFT_CLOCK_H
#define WEFT_CLOCK_H

#include <sys/timex.h>

// 1 when somebody (NTP, PTP) keeps the clock right, 0 when nobody does or the kernel does not say.
static inline int weft_clock_is_synchronised(void) {
    struct timex state = {0};
    int answer = adjtimex(&state);
    return answer >= 0 && answer != TIME_ERROR;
}

#endif
