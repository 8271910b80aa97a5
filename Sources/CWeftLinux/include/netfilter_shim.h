// The kernel's side of netlink for WeftHost's Netfilter and Routing folders. libnftnl is in CNetfilter.
#ifndef WEFT_NETFILTER_SHIM_H
#define WEFT_NETFILTER_SHIM_H

// glibc's own before the kernel's: both define the same structs, and the kernel's headers step back for glibc's.
#include <netinet/in.h>

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#endif
