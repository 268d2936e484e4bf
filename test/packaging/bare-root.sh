#!/bin/sh
# Runs a program as the container image would: alone as process 1 of a root that holds the binary and its C library and can
# only be read, without a shell in it, without /tmp, as a user without a name, without capabilities; /data can be written.
# usage: unshare --mount --pid --fork sh bare-root.sh ROOT BINARY DATA ETC WORDS…   (as root)
set -eu
root=$1 binary=$2 data=$3 etc=$4
shift 4
mount --make-rprivate /
mkdir -p "$root/bin" "$root/data" "$root/etc/capstan" "$root/proc" "$root/dev"
for file in $(ldd "$binary" | grep -o '/[^ ]*'); do
  mkdir -p "$root$(dirname "$file")"
  cp -L "$file" "$root$file"
done
touch "$root/bin/capstan" "$root/dev/null" "$root/dev/urandom"
mount --bind "$root" "$root"
mount --bind "$binary" "$root/bin/capstan"
mount --bind "$data" "$root/data"
mount --bind "$etc" "$root/etc/capstan"
for device in null urandom; do mount --bind "/dev/$device" "$root/dev/$device"; done
mount -t proc proc "$root/proc"
mount -o remount,ro,bind "$root/etc/capstan"
mount -o remount,ro,bind "$root"
exec setpriv --no-new-privs -- \
  env -i CAPSTAN_DATA=/data CAPSTAN_MODULES=/etc/capstan CAPSTAN_LISTEN=127.0.0.1:0 CAPSTAN_LOG_LEVEL=warn \
  /usr/sbin/chroot --userspec=65532:65532 "$root" /bin/capstan "$@"
