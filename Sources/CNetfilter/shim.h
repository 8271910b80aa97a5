// libnftnl, with the kernel's constants for nf_tables. `struct nlmsghdr` is complete in CWeftLinux.
#if defined(__swift__)
// Types of glibc's that the headers below mention are those of Swift's Glibc module, not copies of this module's own.
#pragma clang module import SwiftGlibc
#endif

#include <stdint.h>
#include <stdio.h>
#include <linux/netfilter/nf_tables.h>
#include <libnftnl/batch.h>
#include <libnftnl/common.h>
#include <libnftnl/table.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
