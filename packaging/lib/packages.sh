# The Debian packages that Skerry needs, by purpose. Sourced.

# shellcheck disable=SC2034
packages_run=(
    qemu-system-x86 libvirt-daemon-system libvirt-clients libvirt0 ovmf
    libnl-3-200 libnl-route-3-200 libsqlite3-0 libyaml-0-2 libpq5
    qemu-utils dnsmasq-base iptables ipset iproute2
    curl python3 openssh-client ca-certificates procps util-linux kmod
)
packages_build=(git pkg-config libvirt-dev libnl-3-dev libnl-route-3-dev libsqlite3-dev libyaml-dev libpq-dev zlib1g-dev)
packages_image=(cpio gzip mtools dosfstools syslinux syslinux-common qemu-utils)
packages_test=(python3-venv xz-utils genisoimage busybox-static iputils-ping openssl strace user-mode-linux
    postgresql lintian debootstrap e2fsprogs age)
packages_deb=(debhelper dpkg-dev apt-utils fakeroot chrpath gpg git)
