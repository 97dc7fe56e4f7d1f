import { groupsOf } from '../../../src/cluster/groups.ts';
import type { ClusterConfig, PublishedService } from '../../../src/config/types.ts';
import { crossingConfig } from './config.ts';
import { addressOf, bucketOfText, type NodeName, type Owned, SERVER, SHARED } from './crossing.ts';
import { DATA_PORTS } from './file-server.ts';

/** What flows are translated to: an address for each group, in their order. */
export const GROUP_ADDRESSES: Readonly<Record<NodeName, string>> = {
  fw1: addressOf('wan', 'ip', 6),
  fw2: addressOf('wan', 'ip', 7),
};

/** The crossing with all helpers; the DMZ's file servers are published on another address than flows are translated to. */
export const helpersConfig = ({ snat }: { readonly snat: boolean }): ClusterConfig => {
  const config = crossingConfig();
  const translated = Object.values(GROUP_ADDRESSES);
  return {
    ...config,
    interfaces: config.interfaces.map((one) =>
      one.name !== 'eth2'
        ? one
        : {
            ...one,
            addresses: [...one.addresses, ...translated.map((address) => ({ address, prefix: 24 }))],
            snat: snat ? translated : [],
          },
    ),
    publish: [
      published('ftp', 'tcp', 21, 21),
      published('ftp-active', 'tcp', 20, 20),
      published('ftp-passive', 'tcp', DATA_PORTS.first, DATA_PORTS.last),
      published('tftp', 'udp', 69, 69),
      published('tftp-data', 'udp', DATA_PORTS.first, DATA_PORTS.last),
    ],
    helpers: ['ftp', 'sip', 'tftp'],
  };
};

/** Each node owns the group that it is the home of. */
export const ownedBy = (config: ClusterConfig): Owned => {
  const of = (node: NodeName) =>
    groupsOf(config).flatMap(({ home, buckets }) => (home === node ? buckets : []));
  return { fw1: of('fw1'), fw2: of('fw2') };
};

/** Who filters the flows of an address then. */
export const ownerOf = (owned: Owned, address: string): NodeName =>
  owned.fw1.includes(bucketOfText(address)) ? 'fw1' : 'fw2';

const published = (
  name: string,
  protocol: PublishedService['protocol'],
  first: number,
  last: number,
): PublishedService => ({
  name,
  protocol,
  address: addressOf('wan', 'ip', SHARED),
  ports: { first, last },
  to: addressOf('dmz', 'ip', SERVER),
  toPorts: { first, last },
});

/**
 * What an administrator would allow beside: the control connections and what is related to them, nothing else. Connections
 * that a helper hasn't announced are dropped.
 */
export const ADMINISTRATOR = `
table inet administrator {}
delete table inet administrator
table inet administrator {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    tcp dport 21 ct state new accept
    udp dport { 69, 5060 } ct state new accept
  }
}
`;
