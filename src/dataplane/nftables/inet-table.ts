import { portRange } from '../../cluster/ranges.ts';
import { UNTRACKED_PORTS } from '../../config/types.ts';
import { FAMILIES_OF_IP, type Family } from '../family.ts';
import { ASKED_PORTS, TABLE } from '../owned.ts';
import type { Leg, Plan, SyncLink } from '../plan.ts';
import { anyOf, chain, devices, ERROR, EXEMPT, ND, SORTED, UNDECIDED } from './expressions.ts';
import { helping } from './helping.ts';
import { familiesOf, type Owned, ownedSet, sharedSet } from './netdev-table.ts';
import { reflectedUdp } from './reflection.ts';
import { publishing, serversSet } from './servers.ts';
import { sortingChains, sortingRules } from './sorting.ts';
import { sendersRule, sendersSet, vrrpRules, vrrpSet } from './strangers.ts';
import { translatedAddresses, translatedChains, translatedMaps } from './translated.ts';
import { translation } from './translation.ts';

/**
 * The table around conntrack: what came in fragments is sorted, what conntrack isn't to see, what comes before its
 * state, and translation.
 */
export const inetTable = (plan: Plan, owned: Owned): string => {
  const families = familiesOf(plan);
  const legs = devices(plan.legs.map(({ device }) => device));
  const unaskedRules = unasked(plan);
  return `
table inet ${TABLE} {
${ownedSet(plan, owned)}${families.map((family) => sharedSet(plan, family)).join('')}\
${families.map((family) => serversSet(plan, family) + translatedMaps(plan, family)).join('')}\
${vrrpSet(plan)}${sendersSet}${askedPorts(plan)}${reassembled(plan, families)}\
${bridged(plan, families)}${unsorted(families)}${beforeConntrack(plan, legs)}
  chain sync_port {
    type filter hook input priority filter - 10; policy accept;
    udp dport { ${ports(plan.sync)} } goto from_peer
    tcp dport ${plan.sync.peerPort} goto from_peer
  }
  chain from_peer {
    iifname "${plan.sync.device}" ip saddr ${anyOf(plan.sync.peers)} accept
    ${sendersRule(plan.sync)}
    counter drop comment "to the synchronisation's ports, but not from a peer"
  }
  chain after_conntrack {
    type filter hook prerouting priority mangle; policy accept;
    ct state invalid iifname ${legs} goto stateless
${unaskedRules.length === 0 ? '' : '    ct state new meta l4proto udp goto unasked\n'}  }
${chain('unasked', unaskedRules)}${chain('stateless', [
  ...families.map((family) => `${family} daddr != @shared_${family} fib daddr type local accept`),
  // It may have run ahead of its state: the sender repeats it, whereas an answer would reset the connection.
  'counter drop comment "no state, or none yet"',
])}\
  chain unreachable {
    type filter hook output priority filter; policy accept;
    # Said when this node's route is gone with its interface, or while nobody answered it there. The peer reaches the host: a
    # client that heard this would give up.
    oifname ${legs} icmp type destination-unreachable icmp code { net-unreachable, host-unreachable } counter drop
    oifname ${legs} icmpv6 type destination-unreachable icmpv6 code { no-route, addr-unreachable } counter drop
  }
${helping(plan, legs)}${publishing(plan, legs)}${translation(plan)}}
`;
};

/** Where clients may have asked a service of the firewall's own: others/sockets-in-range.ts. */
const askedPorts = (plan: Plan): string =>
  FAMILIES_OF_IP.every((family) => translatedAddresses(plan, family).length === 0)
    ? ''
    : `\
  set ${ASKED_PORTS.name} {
    comment "ports of SNAT addresses that were sent to from outside a moment ago, and no flow is there"
    type inet_service
    size 1024
    flags dynamic,timeout
    timeout 1s
  }
`;

/** Conntrack has put the fragments together (priority -400); it hasn't looked for a flow yet (-200). */
const reassembled = (plan: Plan, families: readonly Family[]): string => {
  const byLeg = (leg: Leg) =>
    families.map((family) => chain(`${leg.label}_${family}`, sortingRules(plan, leg, family, 'reassembled')));
  const toLegs = plan.legs.flatMap(({ label, device }) =>
    families.map((family) => {
      const only = family === 'ip' ? 'ipv4' : 'ipv6';
      return `iifname "${device}" meta nfproto ${only} goto ${label}_${family}`;
    }),
  );
  return [
    ...families.map((family) => sortingChains(plan, family, 'reassembled')),
    ...families.map((family) => translatedChains(plan, family, 'reassembled')),
    ...families.map((family) =>
      chain(`decide_${family}`, [
        'meta priority != @owned counter drop comment "another node filters these"',
        'counter meta priority set none comment "filtered by this node"',
      ]),
    ),
    ...plan.legs.flatMap(byLeg),
    chain('reassembled', toLegs),
  ].join('');
};

/**
 * With br_netfilter a bridge's frames come here before they come to the bridge's ingress (br_nf_pre_routing() in
 * net/bridge/br_netfilter_hooks.c), so they are sorted here as well, once they are put together. As ingress does it, they are made frames
 * to this host: br_nf_local_in() confirms conntrack's entry of others at once (6.8, and the stable kernels of then), and what is
 * confirmed can't be translated any more. Errors make no entry.
 */
const bridged = (plan: Plan, families: readonly Family[]): string => {
  const shared = plan.legs.map(({ device, mac }) => `"${device}" . ${mac}`);
  return chain('bridged', [
    `iifname . ether daddr != ${anyOf(shared)} return`,
    'meta pkttype set host',
    ...families.flatMap((family) => [
      `${family} daddr != @shared_${family} fib daddr type { local, broadcast, multicast } return`,
      `${ERROR[family]} return`,
    ]),
    ...(families.includes('ip6') ? [`${ND} return`] : []),
    'goto reassembled',
  ]);
};

/**
 * What came in on a leg whose rules on ingress aren't there (its interface was made a moment ago) or were passed by (another program's
 * redirect puts packets in behind them) is nobody's. What this node's own addresses are sent passes.
 */
const unsorted = (families: readonly Family[]): string =>
  chain('unsorted', [
    // What isn't shared isn't sorted.
    ...(families.length === 1 ? ['meta nfproto != ipv4 return'] : []),
    'meta iifkind "bridge" goto bridged',
    ...families.map(
      (family) => `${family} daddr @shared_${family} counter drop comment "to a shared address, not sorted"`,
    ),
    'fib daddr type { local, broadcast, multicast } return',
    'counter drop comment "came in past the rules that sort"',
  ]);

/**
 * Fragments that have been put together are sorted. What conntrackd sends is no flow of the cluster's, nor is VRRP (112). What agents tell each other is tracked: rules of others that
 * are being reloaded let pass what is established, and nothing else. But they tell it from another port as well (src/peers/link.ts,
 * src/peers/reach.ts), and of that conntrack sees nothing: a table that is full drops what it would have to enter.
 */
const beforeConntrack = (plan: Plan, legs: string): string => {
  const { sync } = plan;
  const untracked = `${UNTRACKED_PORTS.first}-${UNTRACKED_PORTS.last}`;
  const multicast = sync.multicast === undefined ? [] : [sync.multicast];
  const incoming = `ip saddr ${anyOf(sync.peers)} ip daddr ${anyOf([sync.own, ...multicast])}`;
  const outgoing = `oifname "${sync.device}" ip saddr ${sync.own} ip daddr ${anyOf([...sync.peers, ...multicast])}`;
  const rules = (match: string) => `\
    ${match} udp dport ${sync.port} notrack
    ${match} udp sport ${sync.port} notrack
    ${match} udp dport ${sync.peerPort} udp sport != ${sync.peerPort} notrack
    ${match} tcp dport ${sync.peerPort} tcp sport ${untracked} notrack
    ${match} tcp sport ${sync.peerPort} tcp dport ${untracked} notrack`;
  return `\
  chain before_conntrack {
    type filter hook prerouting priority raw; policy accept;
    meta priority ${SORTED} meta priority set none accept
    meta priority ${UNDECIDED} goto reassembled
    iifname ${legs} meta priority != ${EXEMPT} jump unsorted
    meta priority ${EXEMPT} meta priority set none
${vrrpRules(plan)
  .map((rule) => `    ${rule}\n`)
  .join('')}\
    meta l4proto 112 fib daddr type { local, multicast } notrack
    iifname != "${sync.device}" accept
${rules(incoming)}
  }
  chain untracked_out {
    type filter hook output priority raw; policy accept;
    meta l4proto 112 notrack
${rules(outgoing)}
  }`;
};

/**
 * conntrack can't tell an answer to a translated flow, whose state isn't here yet, from a new flow of UDP to the firewall. As
 * one, its entry has the port for 30 s (nf_conntrack_udp_timeout): the flow's own state can't come in beside it.
 */
const unasked = (plan: Plan): readonly string[] => {
  const reflected = plan.legs.flatMap((leg) =>
    FAMILIES_OF_IP.flatMap((family) => reflectedUdp(leg, family) ?? []),
  );
  const outside = devices(plan.legs.filter(({ side }) => side === 'outside').map(({ device }) => device));
  const first = portRange(0, plan.buckets).first;
  const translated = FAMILIES_OF_IP.flatMap((family) =>
    translatedAddresses(plan, family).map(
      ({ address }) => `${family} daddr ${address} udp dport ${first}-65535 iifname ${outside}`,
    ),
  );
  // What comes from a port of a service is an answer that is late, not a client.
  const asked = translated.map(
    (match) => `${match} udp sport ${first}-65535 update @${ASKED_PORTS.name} { udp dport }`,
  );
  return [...asked, ...[...translated, ...reflected].map((match) => `${match} goto stateless`)];
};

const ports = (sync: SyncLink): string => `${sync.port}, ${sync.peerPort}`;
