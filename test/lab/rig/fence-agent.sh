#!/bin/sh
# A fence agent: the remote control of the lab's power switch (power-switch.ts). Its options come on standard input, a line
# each (FenceAgentAPI of the fence-agents). It leaves a file that asks for a plug to be off, and waits until it is.
switch=/run/power action=reboot plug=
while IFS='=' read -r key value; do
  case $key in
    action) action=$value ;;
    plug | port) plug=$value ;;
  esac
done
case $action in
  metadata)
    cat <<'END'
<?xml version="1.0"?>
<resource-agent name="fence_lab" shortdesc="The lab's power switch">
<longdesc>The lab's power switch</longdesc>
<parameters>
<parameter name="action" required="1"><getopt mixed="-o"/><content type="string" default="off"/></parameter>
<parameter name="plug" required="0"><getopt mixed="-n"/><content type="string"/></parameter>
<parameter name="ip" required="0"><getopt mixed="-a"/><content type="string"/></parameter>
<parameter name="username" required="0"><getopt mixed="-l"/><content type="string"/></parameter>
<parameter name="password" required="0"><getopt mixed="-p"/><content type="string"/></parameter>
<parameter name="lanplus" required="0"><getopt mixed="-P"/><content type="boolean"/></parameter>
</parameters>
<actions>
<action name="off"/><action name="reboot"/><action name="status"/><action name="list"/><action name="monitor"/>
<action name="metadata"/>
</actions>
</resource-agent>
END
    ;;
  off | reboot)
    rm -f "$switch/$plug.is-off"
    : >"$switch/$plug.off"
    for _ in $(seq 400); do
      [ ! -e "$switch/$plug.is-off" ] || exit 0
      sleep 0.05
    done
    exit 1
    ;;
  status | monitor) [ -d "$switch" ] ;;
  list) ls "$switch" ;;
  *) exit 1 ;;
esac
