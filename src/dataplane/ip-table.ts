import { portRange } from '../cluster/ranges.ts';
import { TABLE } from './owned.ts';
import type { Plan, SyncLink } from './plan.ts';

/** The table around conntrack: what it isn't to see, what comes before its state, and translation. */
export const ipTable = (plan: Plan): string => `
table ip ${TABLE} {
${untracked(plan.sync)}
  chain sync_port {
    type filter hook input priority filter - 10; policy accept;
    udp dport { ${ports(plan.sync)} } goto from_peer
    tcp dport ${plan.sync.peerPort} goto from_peer
  }
  chain from_peer {
    iifname "${plan.sync.device}" ip saddr ${anyOf(plan.sync.peers)} accept
    counter drop comment "to the synchronisation's ports, but not from a peer"
  }
  chain after_conntrack {
    type filter hook prerouting priority mangle; policy accept;
    iifname { "${plan.inside.device}", "${plan.outside.device}" } ct state invalid goto stateless${plan.snat === undefined ? '' : unasked(plan, plan.snat)}
  }
  chain stateless {
    ip daddr != { ${plan.shared.join(', ')} } fib daddr type local accept
    # It may have run ahead of its state: the sender repeats it, whereas an answer would reset the connection.
    counter drop comment "no state, or none yet"
  }
  chain unreachable {
    type filter hook output priority filter; policy accept;
    # Said when this node's route is gone with its interface, or while nobody answered it there. The peer reaches the host: a
    # client that heard this would give up.
    oifname { "${plan.inside.device}", "${plan.outside.device}" } icmp type destination-unreachable icmp code { net-unreachable, host-unreachable } counter drop
  }
${plan.snat === undefined ? '' : translation(plan, plan.snat)}
}
`;

/**
 * What conntrackd sends is no flow of the cluster's, nor is VRRP (112). What agents tell each other is tracked: rules of others that
 * are being reloaded let pass what is established, and nothing else.
 */
const untracked = (sync: SyncLink): string => {
  const multicast = sync.multicast === undefined ? [] : [sync.multicast];
  const incoming = `iifname "${sync.device}" ip saddr ${anyOf(sync.peers)} ip daddr ${anyOf([sync.own, ...multicast])}`;
  const outgoing = `oifname "${sync.device}" ip saddr ${sync.own} ip daddr ${anyOf([...sync.peers, ...multicast])}`;
  const rules = (match: string, vrrp: string) => `\
    ip protocol 112${vrrp} notrack
    ${match} udp dport ${sync.port} notrack
    ${match} udp sport ${sync.port} notrack`;
  return `\
  chain untracked_in {
    type filter hook prerouting priority raw; policy accept;
${rules(incoming, ' fib daddr type { local, multicast }')}
  }
  chain untracked_out {
    type filter hook output priority raw; policy accept;
${rules(outgoing, '')}
  }`;
};

/**
 * The form with address and port concatenated: nft 1.0.6 also takes `snat to ADDRESS : jhash ...`, lists it wrongly, and
 * it fails at run time. A chain of type nat sees the first packet of a flow only, so what is dropped here never has one.
 */
const translation = (plan: Plan, snat: string): string => {
  const ranges = Array.from({ length: plan.buckets }, (_, bucket) => {
    const { first, last } = portRange(bucket, plan.buckets);
    return `${bucket} : ${snat} . ${first}-${last}`;
  });
  const target = `jhash ct original ip saddr mod ${plan.buckets} seed 0x${plan.seed.toString(16)} map { ${ranges.join(', ')} }`;
  const outwards = `iifname "${plan.inside.device}" oifname "${plan.outside.device}"`;
  return `\
  chain translate {
    type nat hook postrouting priority srcnat - 1; policy accept;
    ${outwards} meta l4proto { tcp, udp } snat ip to ${target}
    ${outwards} meta l4proto icmp snat ip to ${target}
    ${outwards} counter drop comment "a protocol without ports can't be translated by bucket"
  }`;
};

/**
 * conntrack can't tell an answer to a translated flow, whose state isn't here yet, from a new flow of UDP to the firewall. As
 * one, its entry has the port for 30 s (nf_conntrack_udp_timeout): the flow's own state can't come in beside it.
 */
const unasked = (plan: Plan, snat: string): string => `
    iifname "${plan.outside.device}" ip daddr ${snat} udp dport ${portRange(0, plan.buckets).first}-65535 ct state new goto stateless`;

const ports = (sync: SyncLink): string => `${sync.port}, ${sync.peerPort}`;

const anyOf = (values: readonly string[]): string => `{ ${values.join(', ')} }`;
