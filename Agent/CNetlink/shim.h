// What Swift cannot import from libnl and the kernel's headers: variadic calls, request macros and GNU extensions.
#ifndef SKERRY_CNETLINK_SHIM_H
#define SKERRY_CNETLINK_SHIM_H

// Before the kernel's headers, which leave out what these have declared: both define struct in6_addr and ifreq.
#include <net/if.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/tc_act/tc_mirred.h>
#include <linux/veth.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

// CLONE_NEWNET of <linux/sched.h>, which clashes with <sched.h>.
#define SKERRY_CLONE_NEWNET 0x40000000

static inline int skerry_setns(int descriptor) {
    return (int)syscall(SYS_setns, descriptor, SKERRY_CLONE_NEWNET);
}

static inline int skerry_unshare_network(void) {
    return (int)syscall(SYS_unshare, SKERRY_CLONE_NEWNET);
}

/// Whether the descriptor stands for a namespace: NSFS_MAGIC of <linux/magic.h>.
static inline int skerry_is_namespace(int descriptor) {
    struct statfs status;
    return fstatfs(descriptor, &status) == 0 && status.f_type == 0x6e736673;
}

/// Opens a tap of the calling thread's network namespace, making it where there is none: frames without a packet
/// information header. Gives the descriptor, or -1 with errno.
static inline int skerry_tap_open(const char *name) {
    int descriptor = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return -1;
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (ioctl(descriptor, TUNSETIFF, &request) < 0) {
        int failure = errno;
        close(descriptor);
        errno = failure;
        return -1;
    }
    return descriptor;
}

static inline int skerry_tap_set_persistent(int descriptor, int persistent) {
    return ioctl(descriptor, TUNSETPERSIST, (long)persistent);
}

static inline int skerry_tap_set_owner(int descriptor, unsigned int user) {
    return ioctl(descriptor, TUNSETOWNER, (long)user);
}

static inline int skerry_tap_set_group(int descriptor, unsigned int group) {
    return ioctl(descriptor, TUNSETGROUP, (long)group);
}

/// Has the kernel compute checksums itself before a frame leaves through the interface. 0, or -1 with errno.
static inline int skerry_disable_checksum_offload(const char *name) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    struct ethtool_value value = {.cmd = ETHTOOL_GTXCSUM};
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_data = (char *)&value;
    int result = ioctl(descriptor, SIOCETHTOOL, &request);
    if (result == 0 && value.data != 0) {
        value.cmd = ETHTOOL_STXCSUM;
        value.data = 0;
        result = ioctl(descriptor, SIOCETHTOOL, &request);
    }
    int failure = errno;
    close(descriptor);
    errno = failure;
    return result;
}

/// Sends a whole Ethernet frame out of an interface of the calling thread's network namespace. 0, or -1 with errno.
static inline int skerry_send_frame(int index, const void *frame, size_t length) {
    int descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = index};
    ssize_t sent = sendto(descriptor, frame, length, 0, (struct sockaddr *)&address, sizeof address);
    int failure = errno;
    close(descriptor);
    errno = failure;
    return sent < 0 ? -1 : 0;
}

#endif
