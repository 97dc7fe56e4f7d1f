import { portRange } from '../cluster/ranges.ts';
import { TABLE } from './owned.ts';
import type { DataLink, Plan } from './plan.ts';

/** What the set of the owned buckets holds after a load. */
export interface Owned {
  readonly buckets: readonly number[];
  /** How long, in milliseconds from the load on; 0: for ever. */
  readonly timeout: number;
}

/**
 * The table that sorts packets into buckets where they come in, before conntrack or anybody else has seen them, and
 * drops those of buckets that are another node's. The bucket's number is kept in the packet's priority, which
 * forwarding overwrites anyway (ip_forward() in net/ipv4/ip_forward.c sets it from the TOS field), and not in the mark,
 * which is the administrator's.
 */
export const netdevTable = (plan: Plan, { buckets, timeout }: Owned): string => `
table netdev ${TABLE} {
  set owned {
    comment "buckets that this node filters; conntrack-ha changes it"
    typeof meta priority
    # One transaction may add as many as it removes, and what has timed out is taken out only once a second.
    size ${plan.buckets * 4}
    flags timeout${elements(buckets.map((bucket) => classid(bucket) + lasting(timeout)))}
  }
  set shared {
    comment "addresses that the nodes share"
    type ipv4_addr${elements(plan.shared)}
  }
${plan.snat === undefined ? '' : maps(plan)}
  chain inside {
    type filter hook ingress device "${plan.inside.device}" priority -500; policy accept;
${common(plan.inside)}
    # A router's error about a packet goes with the flow that it quotes, whose inside address is the quoted destination.
    ${ERROR} meta priority set ${quotedDestination(plan)} goto decide
    meta priority set ${hash(plan, 'ip saddr')} goto decide
  }
  chain outside {
    type filter hook ingress device "${plan.outside.device}" priority -500; policy accept;
${common(plan.outside)}
${outsideRules(plan)}
  }
${plan.snat === undefined ? '' : translated(plan)}
  chain services {
    # Flows to the firewall itself: the client outside decides.
    ${ERROR} meta priority set ${quotedDestination(plan)} goto decide
    meta priority set ${hash(plan, 'ip saddr')} goto decide
  }
  chain decide {
    meta priority != @owned goto foreign
    counter meta priority set none comment "filtered by this node"
  }
  chain foreign {
    # The node's own addresses are its own affair, and broadcasts and multicasts (VRRP) are for every node.
    ip daddr != @shared fib daddr type { local, broadcast, multicast } meta priority set none accept
    counter drop comment "another node filters these"
  }
  chain other_protocols {
    ether daddr != { ${plan.inside.mac}, ${plan.outside.mac} } accept
    # Taken for sent to this node, an answer confirms the neighbour; arp_process() in net/ipv4/arp.c.
    arp operation reply meta pkttype set host accept
    meta protocol arp accept
    counter drop comment "neither IPv4 nor ARP, to a shared MAC"
  }
${announcing('inside', plan.inside)}
${announcing('outside', plan.outside)}
}
`;

/** Errors that quote a packet without IP options. The quoted header begins 8 bytes into the ICMP message. */
const ERROR = 'icmp type { destination-unreachable, time-exceeded, parameter-problem } @th,64,8 0x45';

const hash = ({ buckets, seed }: Plan, field: string): string =>
  `jhash ${field} mod ${buckets} seed 0x${seed.toString(16)}`;

const quotedDestination = (plan: Plan): string => hash(plan, '@th,192,32');

/** What both sides begin with. Frames with a VLAN's tag (not 0, a mere priority) go to an interface above this one. */
const common = (link: DataLink): string => `\
    ether type { 8021q, 8021ad } @ll,112,16 & 0x0fff != 0 accept
    meta protocol != ip goto other_protocols
    # The MAC is a multicast one; the kernel forwards only what was sent to it alone.
    ether daddr ${link.mac} meta pkttype set host`;

const outsideRules = (plan: Plan): string => {
  const services = plan.outside.addresses
    .map((address) => address.replace(/\/.*/, ''))
    .filter((address) => address !== plan.snat);
  return [
    ...(plan.snat === undefined ? [] : [`    ip daddr ${plan.snat} goto translated`]),
    ...(services.length === 0 ? [] : [`    ip daddr { ${services.join(', ')} } goto services`]),
    `    meta priority set ${hash(plan, 'ip daddr')} goto decide`,
  ].join('\n');
};

/** Answers to translated flows: the port, or the id, tells the bucket. Services of the firewall are below 1024. */
const translated = (plan: Plan): string => `\
  chain translated {
    ip frag-off & 0x3fff != 0 counter drop comment "fragments to the SNAT address: only the first has a port"
    meta l4proto { tcp, udp } meta priority set th dport map @bucket_of_port goto decide
    meta l4proto { tcp, udp } goto services
    icmp type echo-reply meta priority set icmp id map @bucket_of_id goto decide
    icmp type echo-request goto services
    ${ERROR} @th,112,16 & 0x1fff == 0 goto quoted
    counter drop comment "no flow of this cluster: not TCP, UDP or an echo"
  }
  chain quoted {
    # The quoted packet left here, so its source port or id is what SNAT gave it. 6: TCP, 17: UDP; 1: ICMP, type 8.
    @th,136,8 { 6, 17 } meta priority set @th,224,16 map @bucket_of_id goto decide
    @th,136,8 1 @th,224,8 8 meta priority set @th,256,16 map @bucket_of_id goto decide
    @th,136,8 { 1, 6, 17 } meta priority set ${quotedDestination(plan)} goto decide
    counter drop comment "an error about no flow of this cluster"
  }`;

const maps = (plan: Plan): string => {
  const ranges = Array.from({ length: plan.buckets }, (_, bucket) => {
    const { first, last } = portRange(bucket, plan.buckets);
    return `${first}-${last} : ${classid(bucket)}`;
  });
  return `\
  map bucket_of_port {
    comment "each bucket translates into ports of its own"
    type inet_service : classid
    flags interval${elements(ranges)}
  }
  map bucket_of_id {
    comment "the same for ids of echo requests"
    typeof icmp id : meta priority
    flags interval${elements(ranges)}
  }`;
};

/**
 * Whoever asks for a shared address, or is told or asked by it, learns the shared MAC. On egress and not in a table arp,
 * since that doesn't see what programs (arping, keepalived) send through packet sockets.
 */
const announcing = (name: string, link: DataLink): string => `\
  chain announce_${name} {
    type filter hook egress device "${link.device}" priority 0; policy accept;
    arp saddr ip @shared arp saddr ether set ${link.mac}
  }`;

const lasting = (timeout: number): string => (timeout === 0 ? '' : ` timeout ${timeout}ms`);

/** nft's notation of a priority: two hexadecimal numbers. */
const classid = (bucket: number): string => `0:${bucket.toString(16)}`;

const elements = (values: readonly string[]): string =>
  values.length === 0 ? '' : `\n    elements = { ${values.join(', ')} }`;
