#!/bin/sh
# root.sh DIR: a Debian 12 as its installer leaves it. Its machines have no way out, so it holds the packages that README has apt install
# in its cache.
set -eu
cd "$(dirname "$0")/../../.."
dir=$1

sh test/support/debian/bare.sh bookworm "$dir.new" systemd-sysv,dbus,udev,ifupdown,iproute2,procps,netbase,ca-certificates,less
root=$(cd "$dir.new" && pwd)
rm -f "$root/etc/apt/apt.conf.d/99mmdebstrap"
# Settings of the kernel, which is the host's.
rm -f "$root/usr/lib/sysctl.d/50-pid-max.conf" "$root/usr/lib/sysctl.d/99-protect-links.conf"

# All that README has apt install, with what it recommends, and the lists that say so.
quiet='-qq -o Acquire::Languages=none -o Acquire::Check-Valid-Until=false'
chroot "$root" apt-get update $quiet
chroot "$root" apt-get install -y $quiet --download-only nftables conntrackd conntrack keepalived kmod >/dev/null
# In place of an administrator who says yes.
echo 'APT::Get::Assume-Yes "true";' >"$root/etc/apt/apt.conf.d/90lab"

rm -rf "$dir" && mv "$dir.new" "$dir"
