import { portRange } from '../../cluster/ranges.ts';
import type { Leg, Plan, SyncLink } from '../plan.ts';
import { drop, portsText, state } from './expressions.ts';
import { CHAIN, type Chain, type Table } from './names.ts';
import { ownedRules } from './owned-rules.ts';

/**
 * The table that keeps what other nodes own from the administrator's rules. Conntrack has looked at the packet before: its
 * flow's original source decides. Of a flow that began inside that is the address inside, in both directions; of one
 * that began outside the client's, so only what is published, or goes to the firewall itself, may begin there.
 */
export const mangleTable = (plan: Plan, owned: readonly number[]): Table => ({
  name: 'mangle',
  chains: [
    { name: CHAIN.pre, rules: plan.legs.map(({ device, side }) => `-i ${device} -g ${CHAIN[side]}`) },
    { name: CHAIN.inside, rules: [...KNOWN, ...begunInside(plan), OWNED] },
    { name: CHAIN.outside, rules: [...KNOWN, ...begunOutside(plan), FOREIGN] },
    { name: CHAIN.owned, rules: ownedRules(plan, owned) },
    { name: CHAIN.foreign, rules: foreign(plan) },
    ...syncPort(plan.sync),
    { name: CHAIN.forward, rules: withoutPorts(plan) },
    { name: CHAIN.output, rules: plan.legs.flatMap(unreachable) },
  ],
});

const OWNED = `-g ${CHAIN.owned}`;
const FOREIGN = `-g ${CHAIN.foreign}`;

/** What is INVALID has no flow, and so no bucket: it may have run ahead of its state, and its sender repeats it. */
const KNOWN = [`${state('RELATED', 'ESTABLISHED')} ${OWNED}`, `${state('INVALID', 'UNTRACKED')} ${FOREIGN}`];

const begunInside = ({ legs, services, shared }: Plan): readonly string[] => {
  const networks = legs.filter(({ side }) => side === 'inside').flatMap((leg) => leg.networks.ip);
  return [
    // Its bucket would be the client's, which is not the source here.
    ...services.map(
      ({ protocol, to, toPorts }) => `-s ${to} -p ${protocol} --sport ${portsText(toPorts)} ${FOREIGN}`,
    ),
    ...shared.ip.map((address) => `-d ${address} ${OWNED}`),
    ...networks.map((network) => `-d ${network} ${FOREIGN}`),
  ];
};

/**
 * A node that has no state of a flow can't tell its answers from new flows where the protocol has no flags: it would take those
 * for flows of the server's, whose bucket may be its own, and UDP's would even keep the port from the flow's own state.
 */
const begunOutside = (plan: Plan): readonly string[] => {
  const { services, shared, legs } = plan;
  const translated = new Set(legs.flatMap(({ snat }) => snat.map(({ address }) => address)));
  const below = portRange(0, plan.buckets).first - 1;
  return [
    ...services.map(
      ({ protocol, address, ports, to, toPorts }) =>
        `-d ${address ?? to} -p ${protocol} --dport ${portsText(address === undefined ? toPorts : ports)} ${OWNED}`,
    ),
    ...shared.ip.flatMap((address) =>
      translated.has(address)
        ? [
            ...['tcp', 'udp'].map((protocol) => `-d ${address} -p ${protocol} --dport 0:${below} ${OWNED}`),
            `-d ${address} -p icmp ${OWNED}`,
          ]
        : [`-d ${address} ${OWNED}`],
    ),
  ];
};

/** The node's own addresses are its own affair, and broadcasts and multicasts (VRRP) are for every node. */
const foreign = ({ shared }: Plan): readonly string[] => [
  ...shared.ip.map((address) => `-d ${address} ${drop(NOT_OURS)}`),
  '-m addrtype --dst-type LOCAL,BROADCAST,MULTICAST -j RETURN',
  drop(NOT_OURS),
];

const NOT_OURS = 'another node filters these, or nobody knows them';

const syncPort = ({ device, peers, port, peerPort }: SyncLink): readonly Chain[] => [
  {
    name: CHAIN.input,
    rules: [
      `-p udp --dport ${port}:${peerPort} -g ${CHAIN.peers}`,
      `-p tcp --dport ${peerPort} -g ${CHAIN.peers}`,
    ],
  },
  {
    name: CHAIN.peers,
    rules: [
      ...peers.map((peer) => `-i ${device} -s ${peer} -j RETURN`),
      drop("to the synchronisation's ports, but not from a peer"),
    ],
  },
];

/** A table nat can't drop: what it couldn't translate by bucket doesn't get there. */
const withoutPorts = ({ legs }: Plan): readonly string[] => {
  const translating = legs.filter(({ snat }) => snat.length > 0);
  if (translating.length === 0) return [];
  const inside = legs.filter(({ side }) => side === 'inside');
  return [
    ...['tcp', 'udp', 'icmp'].map((protocol) => `-p ${protocol} -j RETURN`),
    ...inside.flatMap((from) =>
      translating.map(
        (to) =>
          `-i ${from.device} -o ${to.device} ${state('NEW')} ${drop("a protocol without ports can't be translated by bucket")}`,
      ),
    ),
  ];
};

/** Said when this node's route is gone with its interface. The peer reaches the host: a client that heard this would give up. */
const unreachable = ({ device }: Leg): readonly string[] =>
  ['network-unreachable', 'host-unreachable'].map(
    (type) => `-o ${device} -p icmp --icmp-type ${type} -j DROP`,
  );
