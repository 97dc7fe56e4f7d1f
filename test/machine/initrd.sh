#!/bin/busybox sh
# PID 1 of the initrd: the root is the first disk, and what is written to it stays in memory; the second disk is mounted in it as it is.
set -eu
busybox=/bin/busybox
stop() { echo "initrd: failed"; $busybox poweroff -f; }
trap stop EXIT
$busybox mount -t proc proc /proc
$busybox mount -t devtmpfs dev /dev
for module in /modules/*; do $busybox insmod "$module"; done
$busybox mount -t ext4 -o ro /dev/vda /disk
$busybox mount -t tmpfs -o size=75% tmpfs /written
$busybox mkdir /written/up /written/work
$busybox mount -t overlay -o lowerdir=/disk,upperdir=/written/up,workdir=/written/work overlay /root
$busybox mount -t ext4 /dev/vdb /root/srv
$busybox mount --move /proc /root/proc
$busybox mount --move /dev /root/dev
exec $busybox switch_root /root /srv/inside.sh
