import type { Plan } from '../plan.ts';
import { CHAIN, type Table } from './names.ts';

/** What nodes tell each other is no flow of the cluster's: conntrack doesn't see it. 112 is VRRP. */
export const rawTable = ({ sync }: Plan): Table => {
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
