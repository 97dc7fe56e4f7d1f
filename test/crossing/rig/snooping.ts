import type { Switch } from '../../lab/rig/switch.ts';

/**
 * Centiseconds, as a bridge counts: a query each second, and who doesn't answer is forgotten after three. A querier is taken for
 * one only after the response interval that there was when it was turned on (br_multicast_set_querier()): so these go first.
 */
const INTERVALS =
  'mcast_query_interval 100 mcast_startup_query_interval 25 mcast_query_response_interval 50 mcast_membership_interval 300';

/** Has a switch look at IGMP and MLD. A querier is what makes a bridge act on what it has seen. */
export const snoop = (wire: Switch, how: 'off' | 'on' | 'with a querier'): Promise<void> =>
  wire.machine.ip([
    `link set br0 type bridge mcast_snooping ${how === 'off' ? 0 : 1} mcast_querier 0`,
    ...(how === 'with a querier'
      ? [`link set br0 type bridge ${INTERVALS}`, 'link set br0 type bridge mcast_querier 1']
      : []),
  ]);

/** Tells a bridge that multicasts have to go to a port in any case, as to a router's; or no longer. */
export const routerPort = (wire: Switch, port: string, on: boolean): Promise<void> =>
  wire.machine.ip([`link set dev ${port} mcast_router ${on ? 2 : 1}`], 'bridge');

/** The ports that have joined the group of a MAC, as the switch has learnt it. */
export const joined = async (wire: Switch, group: string): Promise<readonly string[]> => {
  const text = await wire.machine.run(['bridge', 'mdb', 'show']);
  return [...text.matchAll(/port (\S+) grp (\S+)/g)].flatMap(([, port = '', found]) =>
    found === group ? [port] : [],
  );
};

/**
 * Makes a switch of the kind that looks up groups by MAC: frames to `mac` go to `ports` only. A Linux bridge looks up IP
 * packets by their IP address (br_mdb_entry_skb_get() in net/bridge/br_multicast.c), so a packet to a host in a frame to a
 * group's MAC finds no group.
 */
export const forwardOnlyTo = async (wire: Switch, mac: string, ports: readonly string[]): Promise<void> => {
  const set = ports.length === 0 ? '' : `oifname != { ${ports.map((port) => `"${port}"`).join(', ')} }`;
  const input = `
table bridge groups {}
delete table bridge groups
table bridge groups {
  chain on {
    type filter hook forward priority 0; policy accept;
    ether daddr ${mac} ${set} drop
  }
}
`;
  await wire.machine.run(['nft', '-f', '-'], { input });
};
