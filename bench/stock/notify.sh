#!/bin/sh
# The way of 2010, for comparison. `notify.sh start NODE` loads the rules of the netfilter project's howto on
# hash-based load sharing, for a node's own half; `notify.sh primary NODE` is what keepalived would call when the other
# node has died: first the four steps of conntrackd's primary-backup.sh, then the rules for the other node's half.
# `notify.sh withdraw NODE` removes these again.
conntrackd() { /usr/sbin/conntrackd -C /etc/conntrackd/conntrackd.conf "$1"; }

cluster() {
  iptables -t mangle "$1" CLUSTER-RULES -i "$2" -m cluster --cluster-total-nodes 2 --cluster-local-node "$3" \
    --cluster-hash-seed 0xdeadbeef -j MARK --set-mark 0xffff
}

case "$1" in
start)
  iptables -t mangle -N CLUSTER-RULES
  iptables -t mangle -A PREROUTING -j CLUSTER-RULES
  cluster -A eth1 "$2"
  cluster -A eth2 "$2"
  iptables -t mangle -A PREROUTING -i eth1 -m mark ! --mark 0xffff -j DROP
  iptables -t mangle -A PREROUTING -i eth2 -m mark ! --mark 0xffff -j DROP
  ;;
primary)
  # Put the peer's states into the kernel.
  conntrackd -c
  # Forget both caches, take the kernel's table for the internal one, send that to the peer.
  conntrackd -f
  conntrackd -R
  conntrackd -B
  cluster -A eth1 "$2"
  cluster -A eth2 "$2"
  ;;
withdraw)
  cluster -D eth1 "$2"
  cluster -D eth2 "$2"
  ;;
*)
  echo "notify.sh start|primary|withdraw NODE" >&2
  exit 1
  ;;
esac
