#!/bin/sh
# debian-packages.sh [PART...]: installs the Debian packages that the demo, the tests and the benchmarks (or those parts of them) need and that
# aren't there yet, as root.
set -eu

missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
PATH=$PATH:/usr/sbin:/sbin
need nft nftables
need conntrackd conntrackd
need conntrack conntrack
need keepalived keepalived
need iptables iptables
need ip iproute2
need ping iputils-ping
need nsenter util-linux
need ps procps
need tcpdump tcpdump
need curl curl
need vsftpd vsftpd
need in.tftpd tftpd-hpa
need radvd radvd
need ifup ifupdown
need netplan netplan.io
need dbus-daemon dbus
need man man-db
need mandoc mandoc
need zsh zsh
[ -x /lib/systemd/systemd-networkd ] || missing="$missing systemd"
need mmdebstrap mmdebstrap
need corosync corosync
need pacemakerd pacemaker
need attrd_updater pacemaker-cli-utils
[ -d /usr/lib/ocf/resource.d ] || missing="$missing pacemaker-resource-agents"
# What only the long tests need.
case " $* " in
  *' long '*)
    need crm crmsh
    need ocf-tester resource-agents
    need xmllint libxml2-utils
    need firewalld firewalld
    need ufw ufw
    need shorewall shorewall
    ;;
esac
# What only some benchmarks need; the long tests run these too.
case " $* " in
  *' packets '* | *' long '*)
    need trafgen netsniff-ng
    need ethtool ethtool
    ;;
esac
case " $* " in
  *' http '* | *' long '*)
    need nginx nginx-light
    need wrk wrk
    ;;
esac
# What boots machines with another kernel.
case " $* " in
  *' machine '*)
    need qemu-system-x86_64 qemu-system-x86
    need mke2fs e2fsprogs
    ;;
esac
# conntrackd looks the protocols' names up there.
[ -e /etc/protocols ] || missing="$missing netbase"

if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "setup: these Debian packages are missing, and installing them needs root:$missing" >&2
    exit 1
  fi
  echo "setup: installing$missing"
  export DEBIAN_FRONTEND=noninteractive
  # The services that these packages bring stay off: a test starts its own in namespaces.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
    trap 'rm -f $policy' EXIT
  fi
  apt-get update -qq
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
