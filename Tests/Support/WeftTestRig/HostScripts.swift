/// The shell side of the rig. Each script is run as `bash -c SCRIPT NAME ARGUMENTS`; every mount and every network device
/// they make is inside namespaces that end with their process, so the machine's own are never touched.
enum HostScripts {
    /// The lab: a network namespace with the bridge that hosts are plugged into and another one for partitions, and a
    /// mount namespace with the tools image unpacked. Runs under `unshare --net --mount`. Arguments: the tools image.
    static let lab = #"""
        set -eu
        mount -t tmpfs -o mode=755 weft-rig /mnt
        mkdir /mnt/tools
        tar -xf "$1" -C /mnt/tools --xattrs --xattrs-include='*'
        ip link set lo up
        ip link add lan type bridge
        ip link add island type bridge
        ip link set island up
        # Some machines turn IPv6 off for new namespaces, and duplicate address detection costs a second per address.
        sysctl -q -w net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.lan.disable_ipv6=0 net.ipv6.conf.lan.accept_dad=0
        ip link set lan up
        ip addr add 10.77.0.254/24 dev lan
        ip addr add fd77::fe/64 dev lan nodad
        printf 'ready\n'
        cat >/dev/null
        """#

    /// Keeps one host: starts it, waits for the end of standard input, and takes it down. Runs in the lab's namespaces.
    /// Arguments, of all scripts below: name, number, cgroup, process id of the lab, repository, binaries,
    /// programs of other peers.
    ///
    /// The cgroup holds every process of the host, so killing it is complete; the directories that systemd made in it go
    /// after.
    static let keeper = #"""
        set -eu
        cgroup=$3
        mkdir -p "$cgroup/rig"
        take_down() {
            trap - EXIT
            # Whoever would read what bash says of killed jobs may be dead already, and that must not end this.
            trap '' PIPE
            echo 1 >"$cgroup/cgroup.kill"
            for _ in $(seq 6000); do
                if grep -q '^populated 0' "$cgroup/cgroup.events"; then break; fi
                sleep 0.01
            done
            find "$cgroup" -depth -type d -exec rmdir {} +
        }
        trap take_down EXIT
        root=/mnt/$1/root
        mkdir "/mnt/$1" "/mnt/$1/upper" "/mnt/$1/work" "$root"
        mount -t overlay -o "lowerdir=/mnt/tools:/,upperdir=/mnt/$1/upper,workdir=/mnt/$1/work" weft-rig "$root"
        (
            # The host's cgroup namespace has its root where this process is now.
            echo "$BASHPID" >"$cgroup/cgroup.procs"
            exec unshare --net --mount --propagation private --uts --ipc --cgroup bash -c "$WEFT_RIG_NETWORK" network "$@"
        ) </dev/null &
        cat >/dev/null
        """#

    /// Inside all of the host's namespaces but that of processes: its network, then process 1.
    static let network = #"""
        set -eu
        ip link set lo up
        ip link add eth0 type veth peer name "$1" netns "$4"
        nsenter --net="/proc/$4/ns/net" ip link set "$1" master lan up
        sysctl -q -w net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 \
            net.ipv6.conf.lo.disable_ipv6=0 net.ipv6.conf.eth0.disable_ipv6=0 \
            net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.eth0.accept_dad=0
        ip link set eth0 up
        ip addr add "10.77.0.$2/24" dev eth0
        ip addr add "fd77::$2/64" dev eth0 nodad
        ip route add default via 10.77.0.254
        ip -6 route add default via fd77::fe
        hostname "$1"
        # unshare itself must not stay in the cgroup that systemd takes as its root.
        echo $$ >"$3/rig/cgroup.procs"
        exec unshare --pid --fork --kill-child bash -c "$WEFT_RIG_INIT" init "$@"
        """#

    /// Process 1: makes the overlay a root directory that systemd can boot, and becomes systemd.
    static let initialProcess = #"""
        set -eu
        echo 0 >"$3/cgroup.procs"
        cd "/mnt/$1/root"

        mount -t proc -o nosuid,nodev,noexec proc proc
        # Settings of the one kernel underneath stay as they are; those of this network namespace are the host's own.
        mount --bind proc/sys proc/sys
        mount -o remount,bind,ro proc/sys
        mount --bind proc/sys/net proc/sys/net
        mount -o remount,bind,rw proc/sys/net
        mount -t sysfs -o nosuid,nodev,noexec,ro sysfs sys
        mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
        mount -t tmpfs -o mode=755,nosuid tmpfs dev
        mkdir dev/pts dev/shm
        mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
        mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
        ln -s pts/ptmx dev/ptmx
        ln -s /proc/self/fd dev/fd
        ln -s /proc/self/fd/0 dev/stdin
        ln -s /proc/self/fd/1 dev/stdout
        ln -s /proc/self/fd/2 dev/stderr
        for device in null zero full random urandom tty; do
            : >"dev/$device"
            mount --bind "/dev/$device" "dev/$device"
        done
        mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
        mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs tmp
        mkdir -p srv/weft srv/weft-binaries srv/weft-peers
        mount --bind "$5" srv/weft
        mount -o remount,bind,ro srv/weft
        if [ -d "$6" ]; then
            mount --bind "$6" srv/weft-binaries
            mount -o remount,bind,ro srv/weft-binaries
        fi
        mount --bind "$7" srv/weft-peers
        mount -o remount,bind,ro srv/weft-peers

        # What this machine has enabled is its own affair: a host boots what Debian itself needs, and no more.
        rm -rf etc/systemd/system etc/systemd/user var/log/journal
        rm -f etc/resolv.conf
        mkdir -p etc/systemd/system etc/systemd/system-generators etc/systemd/journald.conf.d
        ln -s /dev/null etc/systemd/system-generators/systemd-sysv-generator
        for unit in systemd-logind systemd-modules-load systemd-update-utmp systemd-update-utmp-runlevel modprobe@; do
            ln -s /dev/null "etc/systemd/system/$unit.service"
        done
        for unit in getty.target systemd-tmpfiles-clean.timer sys-kernel-debug.mount sys-kernel-tracing.mount \
            sys-kernel-config.mount sys-fs-fuse-connections.mount dev-hugepages.mount; do
            ln -s /dev/null "etc/systemd/system/$unit"
        done
        printf '[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\n' >etc/systemd/journald.conf.d/weft-rig.conf
        printf '%032x\n' "$2" >etc/machine-id
        printf '%s\n' "$1" >etc/hostname
        : >etc/fstab
        : >etc/resolv.conf
        {
            printf '127.0.0.1 localhost\n::1 localhost\n'
            for number in 1 2 3 4 5; do printf '10.77.0.%s h%s\nfd77::%s h%s\n' $number $number $number $number; done
        } >etc/hosts

        mkdir run/oldroot
        pivot_root . run/oldroot
        umount -l /run/oldroot
        rmdir /run/oldroot
        exec env -i container=weft-rig PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
            /lib/systemd/systemd --system --unit=multi-user.target --log-target=journal --show-status=no
        """#
}
