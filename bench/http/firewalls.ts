import { bringUp } from '../../test/lab/cluster.ts';
import { Lab } from '../../test/lab/rig/lab.ts';
import type { FirewallNode } from '../../test/lab/rig/node.ts';
import { SHARED } from '../../test/lab/rig/plan.ts';
import { type Shares, untilShares } from '../../test/lab/shares.ts';
import { Receiver } from '../packets/receiver.ts';
import { startServer } from './web.ts';

/** A lab in which clients reach a server through so many firewalls. */
export interface Setup {
  readonly name: string;
  readonly open: () => Promise<Lab>;
}

export const SETUPS: readonly Setup[] = [
  { name: 'one firewall, no cluster', open: () => openAlone() },
  { name: 'conntrack-ha, one node is on', open: () => openCluster(1) },
  { name: 'conntrack-ha, two nodes', open: () => openCluster(2) },
];

const SIDES = ['inside', 'outside'] as const;

/** Without SNAT: each bucket has a thousand ports, and ended connections hold theirs for two minutes. */
const CLUSTER = { snat: false, manager: 'keepalived' } as const;

const openCluster = async (on: number): Promise<Lab> => {
  const lab = await Lab.create({ nodes: 2, clients: 2, cluster: CLUSTER });
  return opened(lab, async () => {
    await Promise.all(lab.nodes.slice(0, on).map((node) => bringUp(node, 'keepalived')));
    const shares: Shares = on === 1 ? { fw1: 'all', fw2: 'off' } : { fw1: 'home', fw2: 'home' };
    await untilShares(lab, shares, 30_000);
  });
};

const openAlone = async (): Promise<Lab> => {
  const lab = await Lab.create({ nodes: 1, clients: 2 });
  return opened(lab, async () => {
    const node = lab.node('fw1');
    await node.boot();
    for (const side of SIDES) {
      const { device } = node.plan.links[side];
      await node.run(['ip', 'address', 'add', `${SHARED[side]}/${SHARED.prefix}`, 'dev', device]);
    }
    await node.run(['nft', '-f', '-'], { input: ALONE });
  });
};

const ALONE = `table ip alone {
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state invalid drop
  }
}
`;

const opened = async (lab: Lab, start: () => Promise<void>): Promise<Lab> => {
  try {
    await start();
    await startServer(lab);
    return lab;
  } catch (error) {
    await lab.close();
    throw error;
  }
};

/** Threads of the kernel that do a node's forwarding, so that its processor time can be told from everything else's. */
export const receiversOf = async (lab: Lab, node: FirewallNode): Promise<readonly Receiver[]> => {
  await node.run(['mount', '-t', 'sysfs', 'sysfs', '/sys']);
  const receivers: Receiver[] = [];
  for (const side of SIDES) {
    await lab.wire(side).machine.run(['ethtool', '-K', node.name, 'tso', 'off']);
    receivers.push(await Receiver.create(node.machine, node.plan.links[side].device));
  }
  return receivers;
};
