#!/bin/bash
# PID 1 of a machine that runs tests: what a Debian mounts at boot, then `npm test` with the words of /srv/words. Its output goes to the
# console, its exit status to the second serial port; then the machine is off.
set -u
export PATH=/srv/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TEST_REPORTER=verbose NO_COLOR=1
finish() {
  echo "$1" >/dev/ttyS1
  sync
  echo 1 >/proc/sys/kernel/sysrq
  echo o >/proc/sysrq-trigger
  sleep 60
}
trap 'finish 1' EXIT
stty -F /dev/ttyS0 -opost
stty -F /dev/ttyS1 -opost
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -p /run/lock
ln -sfn /proc/self/fd /dev/fd
hostname machine
ip link set lo up
# All that a test may start is read now: while the machine waits for its disk and has nothing else to do, its clock leaps from timer to timer.
while :; do :; done &
find /usr/bin /usr/sbin /usr/lib /srv/bin /srv/tree -xdev \( -name modules -o -name @biomejs \) -prune -o -type f -exec cat {} + >/dev/null
kill $!
cd /srv/tree || exit
mapfile -t words </srv/words
# Not to the console itself: a terminal of unknown width would have output drawn anew all the time.
node_modules/.bin/tsx test/run.ts "${words[@]}" 2>&1 </dev/null | cat
status=${PIPESTATUS[0]}
echo "machine: off after $(cut -d' ' -f1 /proc/uptime) s of its time"
trap - EXIT
finish "$status"
