// Kernel and C library interfaces that Swift cannot import by itself. Functions and constants, no state.
#ifdef __swift__
// The C library's declarations stay Glibc's own: without this they would count as this module's, and every file that
// uses one of them would have to import it.
#pragma clang module import SwiftGlibc
#endif
#include "clock.h"
#include "diag.h"
#include "memory.h"
#include "netfilter_shim.h"
