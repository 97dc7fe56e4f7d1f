#!/bin/sh
# bare.sh RELEASE DIR PACKAGE,...: a Debian of that release in DIR, from where the host has its packages: what Debian calls essential, apt,
# and those packages. apt works in it, on the terms that tests need: quick, and no translations.
set -eu
release=$1 dir=$2 packages=$3

host() { apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sort -u; }
[ -n "$(host)" ] || apt-get update -qq
# The host's lines that are Debian's own, for another release where it is one.
own=$(. /etc/os-release && echo "$VERSION_CODENAME")
sources() { host | sed -n "s/^\([^ ]*\) $own\(\|-updates\|-security\) main$/deb \1 $release\2 main/p"; }

rm -rf "$dir"
sources | mmdebstrap --quiet --variant=minbase --mode=root \
  --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Check-Valid-Until "false"' \
  --dpkgopt=force-unsafe-io --include="$packages" \
  "$release" "$dir" -
cp /etc/resolv.conf "$dir/etc/resolv.conf"
