# Network of the guest: IPv4 by DHCP, IPv6 by router advertisement and DHCPv6, on every card. Sourced by boot.

cards() {
    for card in /sys/class/net/*; do
        [ "$card" = /sys/class/net/lo ] || echo "${card##*/}"
    done
}

network_start() {
    ip link set lo up
    # The cloud hands out unique addresses, so duplicate detection would only cost a second per address.
    echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
    all=$(cards)
    for card in $all; do
        echo 0 >"/proc/sys/net/ipv6/conf/$card/accept_dad"
        ip link set "$card" up
        udhcpc -i "$card" -s /lib/skerry/dhcp4 -O mtu -O staticroutes -t 10 -T 1 -A 5 -b -S \
            -p "/run/udhcpc.$card.pid" >/dev/null 2>&1 &
    done
    # One for each card, since one for all of them now and then ends without a word. It stays in the foreground: going to
    # the background makes it crash without its unprivileged user.
    for card in $all; do
        (
            for _ in 1 2 3 4 5; do
                dhcpcd -q -B -f /etc/dhcpcd.conf -c /lib/skerry/dhcp6 "$card"
                sleep 1
            done
        ) >/dev/null 2>&1 &
    done
}

uptime_tenths() {
    read -r now rest </proc/uptime
    whole=${now%.*} part=${now#*.}
    echo $((whole * 10 + ${part%?}))
}

# Waits until every card has an IPv4 lease (12 s at most, since a server may probe an address before it offers it) and
# has finished IPv6: no router spoke for 5 s, or the address that a router promised is there (12 s at most).
network_wait() {
    all=$(cards) began=$(uptime_tenths) waited=0
    while [ $waited -lt 120 ]; do
        pending=0
        for card in $all; do
            [ -e "/run/net/$card.4" ] || pending=1
            if [ -e "/run/net/$card.ra" ]; then
                ipv6_settled "$card" || pending=1
            elif [ $waited -lt 50 ]; then
                pending=1
            fi
        done
        [ $pending = 0 ] && return
        usleep 100000
        waited=$(($(uptime_tenths) - began))
    done
}

# The flags of a router advertisement: M (managed) means that the address comes by DHCPv6.
ipv6_settled() {
    case "$(cat "/run/net/$1.ra")" in
    *M*) [ -e "/run/net/$1.6" ] ;;
    *) ip -6 addr show dev "$1" scope global | grep -q inet6 ;;
    esac
}

join_commas() { tr '\n' ',' | sed 's/,$//'; }
addresses4() { ip -4 addr show scope global | sed -n 's/.*inet \([0-9.]*\).*/\1/p' | join_commas; }
addresses6() { ip -6 addr show scope global | sed -n 's/.*inet6 \([0-9a-f:]*\).*/\1/p' | join_commas; }
