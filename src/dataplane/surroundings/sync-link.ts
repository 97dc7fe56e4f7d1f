import type { Judgement } from './judgement.ts';
import type { Needs } from './needs.ts';
import { linkOf, type Seen } from './seen.ts';

const CUT = 'no peer can be reached';

/** Whether the link between the nodes is there, with this node's address. */
export const judgeSyncLink = ({ node, syncDevice: device }: Needs, seen: Seen): readonly Judgement[] => {
  const link = linkOf(seen, device);
  const problem =
    link === undefined
      ? `${device} is missing (sync.interface): ${CUT}; bring it back, or correct sync.interface`
      : `${device} is down: ${CUT}; bring it up with "ip link set ${device} up"`;
  const has = seen.addresses.some((one) => one.device === device && one.address === node.sync);
  return [
    {
      code: 'sync-device',
      object: device,
      problem: link?.up === true ? undefined : problem,
      again: `${device} is up again`,
    },
    ...(link === undefined
      ? []
      : [
          {
            code: 'sync-address',
            object: `${device} ${node.sync}`,
            problem: has
              ? undefined
              : `${device} has no address ${node.sync} (nodes.${node.name}.sync): ${CUT}; add it with "ip address add ${node.sync}/LENGTH dev ${device}"`,
            again: `${device} has the address ${node.sync} again`,
          } as const,
        ]),
  ];
};
