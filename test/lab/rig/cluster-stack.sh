#!/bin/bash
# In a machine of the lab: cluster-stack.sh TREE [HOOKS]. Gives corosync and Pacemaker directories of the machine's own, and
# Pacemaker our resource agent beside its own ones. TREE survives a power cut, as a disk does.
set -eu
tree=$1 hooks=${2-}
agents=/usr/lib/ocf/resource.d
mkdir -p "$tree"/lib/{corosync,pacemaker/{blackbox,cib,cores,pengine}} "$tree"/log/{corosync,pacemaker/bundles,crmsh} \
  /run/crm /run/resource-agents /run/agents
chown -R hacluster:haclient "$tree/lib/pacemaker" "$tree/log/pacemaker" /run/crm
chmod 750 "$tree"/lib/pacemaker/*
mount --bind "$tree/lib/pacemaker" /var/lib/pacemaker
mount --bind "$tree/lib/corosync" /var/lib/corosync
for provider in "$agents"/*/; do
  name=$(basename "$provider")
  mkdir "/run/agents/$name"
  mount --bind "$provider" "/run/agents/$name"
done
[ -z "$hooks" ] || ln -s "$hooks/ocf" /run/agents/conntrack-ha
mount --rbind /run/agents "$agents"
if [ ! -e /var/lib/pacemaker/cib/cib.xml ] && [ -e /etc/corosync/first-cib.xml ]; then
  install -m 600 -o hacluster -g haclient /etc/corosync/first-cib.xml /var/lib/pacemaker/cib/cib.xml
fi
