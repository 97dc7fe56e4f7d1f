#!/bin/bash
# In a machine of the lab: power-switch.sh SWITCH AGENT NAME. The lab's power switch, and its fence agent beside the host's
# programs, under the name of a real one.
set -eu
ln -s "$1" /run/power
mkdir /run/host-sbin /run/sbin
mount --bind /usr/sbin /run/host-sbin
ln -s /run/host-sbin/* /run/sbin/
cp "$2" "/run/sbin/$3"
chmod 755 "/run/sbin/$3"
mount --bind /run/sbin /usr/sbin
