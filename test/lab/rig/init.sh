#!/bin/bash
# PID 1 of a machine of the lab: init.sh HOSTNAME [TREE]. It reaps orphans, and ends when its stdin closes, which ends
# everything in the machine: so nothing is left over, however the process that holds the other end goes away.
set -eu
hostname "$1"
tree=${2:-}
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/lock /run/host-etc
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
if [ -n "$tree" ]; then
  # TREE/etc holds links into the host's /etc, which is read-only here, beside directories of the machine's own.
  mount --bind /etc /run/host-etc
  mount -o remount,bind,ro /run/host-etc
  mount --bind "$tree/etc" /etc
  mount --bind "$tree/log" /var/log
fi
ip link set lo up
echo ready
while read -r _; do :; done
