# Config drive and metadata service: what they say is kept in files under /run/metadata. Sourced by boot.
service=http://169.254.169.254

# find_label LABEL TYPE: prints the first block device in the list of blkid that carries the label.
find_label() {
    while read -r device facts; do
        case "$facts" in
        *"LABEL=\"$1\""*"TYPE=\"$2\""*) echo "${device%:}"; return ;;
        esac
    done </run/blkid
}

metadata_from_drive() {
    mount -o ro "$1" /media/config 2>/dev/null || return
    for name in meta_data.json user_data; do
        cp "/media/config/openstack/latest/$name" /run/metadata/drive/ 2>/dev/null
    done
    umount /media/config
}

# Debian's busybox crashes on wget's own -T.
fetch() { timeout 3 wget -q -O "$2.part" "$service/$1" 2>/dev/null && mv "$2.part" "$2"; }

# metadata_from_http TRIES: asks the service, once a second, unless no card has an IPv4 address to ask from.
metadata_from_http() {
    [ -n "$(addresses4)" ] || return
    into=/run/metadata/http
    tries=$1
    until fetch openstack/latest/meta_data.json $into/meta_data.json; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || break
        sleep 1
    done
    [ -f $into/meta_data.json ] || return
    # The service answers 404 for what an instance was not given.
    fetch latest/meta-data/public-keys/0/openssh-key $into/openssh-key
    fetch latest/user-data $into/user_data || fetch openstack/latest/user_data $into/user_data
}

# Both documents without line breaks and escaped slashes, so that sed can find a field in them.
metadata_join() {
    cat /run/metadata/drive/meta_data.json /run/metadata/http/meta_data.json 2>/dev/null | tr -d '\n' |
        sed 's#\\/#/#g' >/run/metadata/text
}
metadata_value() { grep -o "\"$1\" *: *\"[^\"]*\"" /run/metadata/text | sed -n '1s/.*: *"\(.*\)"/\1/p'; }

public_keys() {
    grep -o '"public_keys" *: *{[^}]*}' /run/metadata/text | grep -Eo '"(ssh|ecdsa|sk)-[^"]*"' | sed 's/"//g; s/\\n//g'
    cat /run/metadata/http/openssh-key 2>/dev/null
}

metadata_apply() {
    metadata_join
    name=$(metadata_value hostname)
    if [ -n "$name" ]; then
        hostname "${name%%.*}"
        echo "127.0.0.1 localhost" >/etc/hosts
        echo "127.0.1.1 $name ${name%%.*}" >>/etc/hosts
    fi
    mkdir -p /root/.ssh /home/skerry/.ssh
    public_keys | sort -u | grep . >/root/.ssh/authorized_keys
    cp /root/.ssh/authorized_keys /home/skerry/.ssh/
    chmod 700 /root /home/skerry /root/.ssh /home/skerry/.ssh
    chown -R 1000:1000 /home/skerry
}

run_user_data() {
    for data in /run/metadata/drive/user_data /run/metadata/http/user_data; do
        [ -s $data ] || continue
        [ "$(head -c 2 $data)" = '#!' ] || { say "user data is not a script: left alone"; return; }
        chmod +x $data
        say "user data: begin"
        $data </dev/null
        say "user data: end, status $?"
        return
    done
}
