#!/bin/bash
# In a machine of the lab: pacemaker-docs.sh PROJECT NODE. What docs/pacemaker.md takes for granted: the project in
# /opt/conntrack-ha, its command, and the host's apt and systemctl, which here start programs of the machine's own.
set -eu
project=$1 node=$2
mount -t tmpfs tmpfs /opt
ln -s "$project" /opt/conntrack-ha
program() { cat >"/run/sbin/$1" && chmod 755 "/run/sbin/$1"; }
program conntrack-ha <<END
#!/bin/sh
exec "$node" /opt/conntrack-ha/dist/main.js "\$@"
END
program apt <<END
#!/bin/sh
[ "\$1" = install ]
END
program systemctl <<'END'
#!/bin/sh
set -eu
verb=$1
shift
case "$verb ${1-}" in
  'enable --now') verb=start && shift ;;
  enable*) exit 0 ;;
  restart*) verb=start ;;
esac
[ "$verb" = start ]
for unit; do
  case $unit in
    conntrack-ha) setsid -f conntrack-ha run >>/var/log/agent.log 2>&1 ;;
    corosync)
      setsid -f corosync -f >>/var/log/corosync.out 2>&1
      until corosync-cfgtool -s >/dev/null 2>&1; do sleep 0.1; done
      ;;
    pacemaker) HOME=/root setsid -f pacemakerd >>/var/log/pacemaker.out 2>&1 ;;
    *) exit 1 ;;
  esac
done
END
