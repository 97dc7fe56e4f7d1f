#!/bin/sh
# root.sh DIR: a Debian 12 as its installer leaves it, with Node.js below /usr/local. Its machines have no way out, so it holds the
# packages that README has apt and npm install in their caches.
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
chroot "$root" apt-get install -y $quiet --download-only git nftables conntrackd conntrack keepalived >/dev/null
# In place of an administrator who says yes.
echo 'APT::Get::Assume-Yes "true";' >"$root/etc/apt/apt.conf.d/90lab"

npm=$(npm root -g)/npm
mkdir -p "$root/usr/local/bin" "$root/usr/local/lib/node_modules"
cp "$(node -p process.execPath)" "$root/usr/local/bin/node"
cp -a "$npm" "$root/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
mkdir -p "$root/srv/project"
cp package.json package-lock.json "$root/srv/project/"
(cd "$root/srv/project" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --cache "$root/srv/npm")
rm -rf "$root/srv/project"
cat >"$root/root/.npmrc" <<X
cache=/srv/npm
offline=true
audit=false
fund=false
update-notifier=false
registry=$(npm config get registry)
X
rm -rf "$dir" && mv "$dir.new" "$dir"
