// Kernel structures and macros that Swift cannot import by itself, for sock_diag, ctnetlink and descriptor passing.
// Static inline, no state.
#ifndef WEFT_DIAG_H
#define WEFT_DIAG_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
// Before any header of the kernel's, which then leaves out its own, different in_addr and sockaddr_in.
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/inet_diag.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

// Names the calling thread, as ps and top show it; the kernel cuts it to 15 bytes.
static inline void weft_name_thread(const char *name) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

// An eventfd that never blocks and is closed on exec; its flags are enumerators that Swift does not see.
static inline int weft_open_eventfd(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

// Descriptors in one message: the kernel's SCM_MAX_FD.
#define WEFT_DESCRIPTORS_MAX 253

// Sends one datagram with up to WEFT_DESCRIPTORS_MAX descriptors beside it (SCM_RIGHTS). Returns what sendmsg returns;
// -2 when there are too many descriptors.
static inline ssize_t weft_send_with_descriptors(
    int socket, const void *address, socklen_t address_length, const void *bytes, size_t count,
    const int *descriptors, size_t descriptor_count
) {
    if (descriptor_count > WEFT_DESCRIPTORS_MAX) {
        return -2;
    }
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * WEFT_DESCRIPTORS_MAX)];
    } control;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {
        .msg_name = (void *)address, .msg_namelen = address_length, .msg_iov = &part, .msg_iovlen = 1,
    };
    if (descriptor_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptor_count);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * descriptor_count);
        memcpy(CMSG_DATA(rights), descriptors, sizeof(int) * descriptor_count);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

#endif
