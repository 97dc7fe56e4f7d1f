#!/bin/bash
# PID 1 of a machine that boots: init.sh HOSTNAME ROOT DISK GROUP. ROOT is its disk as installed, DISK what it has written since,
# GROUP the name of its control group. After a line on stdin it becomes systemd.
set -eu
name=$1 root=$2 disk=$3 group=$4
mkdir -p "$disk/up" "$disk/work" "$disk/root"
# A control group of its own, which is then the root of all that it sees.
mount -t cgroup2 cgroup2 "$disk/root"
mkdir -p "$disk/root/$group"
echo $$ >"$disk/root/$group/cgroup.procs"
umount "$disk/root"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$disk/up,workdir=$disk/work" "$disk/root"
cd "$disk/root"
mount -t proc proc proc
# Of the kernel's settings only the network's are its own.
mount --bind proc/sys/net dev
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount --move dev proc/sys/net
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755,size=1m tmpfs dev
mkdir dev/pts dev/shm
for device in null zero full random urandom tty; do
  : >dev/$device
  mount --bind /dev/$device dev/$device
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mkdir run/lab
hostname "$name"
echo ready
read -r _
exec unshare --cgroup --propagation unchanged bash -c '
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  pivot_root . run/lab
  umount -l /run/lab
  exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd </dev/null >/dev/null 2>&1'
