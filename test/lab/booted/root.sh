#!/bin/sh
# root.sh DIR: a Debian 12 as its installer leaves it. Its machines have no way out, so it holds the packages that README has apt install
# in its cache.
set -eu
cd "$(dirname "$0")/../../.."
dir=$1

sources() { apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sort -u; }
[ -n "$(sources)" ] || apt-get update -qq

rm -rf "$dir.new"
sources | mmdebstrap --quiet --variant=minbase --mode=root \
  --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Check-Valid-Until "false"' \
  --dpkgopt=force-unsafe-io \
  --include=systemd-sysv,dbus,udev,ifupdown,iproute2,procps,netbase,ca-certificates,less \
  bookworm "$dir.new" -
root=$(cd "$dir.new" && pwd)
rm -f "$root/etc/apt/apt.conf.d/99mmdebstrap"
# Settings of the kernel, which is the host's.
rm -f "$root/usr/lib/sysctl.d/50-pid-max.conf" "$root/usr/lib/sysctl.d/99-protect-links.conf"

# All that README has apt install, with what it recommends, and the lists that say so.
cp /etc/resolv.conf "$root/etc/resolv.conf"
quiet='-qq -o Acquire::Languages=none -o Acquire::Check-Valid-Until=false'
chroot "$root" apt-get update $quiet
chroot "$root" apt-get install -y $quiet --download-only nftables conntrackd conntrack keepalived kmod >/dev/null
# In place of an administrator who says yes.
echo 'APT::Get::Assume-Yes "true";' >"$root/etc/apt/apt.conf.d/90lab"

rm -rf "$dir" && mv "$dir.new" "$dir"
