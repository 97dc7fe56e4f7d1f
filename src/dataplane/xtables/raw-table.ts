import type { HelperName } from '../../config/types.ts';
import { HELPERS } from '../nftables/helping.ts';
import type { Plan } from '../plan.ts';
import { CHAIN, type Table } from './names.ts';

/**
 * What conntrack is told before it looks at a packet: what nodes tell each other is no flow of the cluster's, and which protocols
 * announce further connections. 112 is VRRP.
 */
export const rawTable = ({ sync, legs, helpers }: Plan): Table => {
  const { device, own, peers, port, peerPort } = sync;
  const between = (way: string, from: string, to: string): readonly string[] =>
    ['--dport', '--sport'].flatMap((end) => [
      `${way} ${device} -s ${from} -d ${to} -p udp ${end} ${port}:${peerPort} ${UNTRACKED}`,
      `${way} ${device} -s ${from} -d ${to} -p tcp ${end} ${peerPort} ${UNTRACKED}`,
    ]);
  return {
    name: 'raw',
    chains: [
      {
        name: CHAIN.pre,
        rules: [
          `-p 112 -m addrtype --dst-type LOCAL,MULTICAST ${UNTRACKED}`,
          ...peers.flatMap((peer) => between('-i', peer, own)),
          ...legs.flatMap((leg) => helpers.flatMap((name) => helping(leg.device, name))),
        ],
      },
      {
        name: CHAIN.output,
        rules: [`-p 112 ${UNTRACKED}`, ...peers.flatMap((peer) => between('-o', own, peer))],
      },
    ],
  };
};

const UNTRACKED = '-j CT --notrack';

/** Only a flow's first packet is given one by it. */
const helping = (device: string, name: HelperName): readonly string[] =>
  HELPERS[name].protocols.map(
    (protocol) => `-i ${device} -p ${protocol} --dport ${HELPERS[name].port} -j CT --helper ${name}`,
  );
