import type { FirewallNode } from '../rig/node.ts';
import { SIDES } from '../rig/plan.ts';

/** Has ifupdown give a booted node its own addresses, and no other. Its state is in the node's own /run. */
export const startIfupdown = async (node: FirewallNode): Promise<void> => {
  await node.writeConfiguration('/etc/network/interfaces', interfacesOf(node));
  await node.run([
    'mkdir',
    '-p',
    ...['pre-up', 'up', 'down', 'post-down'].map((when) => `/etc/network/if-${when}.d`),
  ]);
  await node.run(['mkdir', '-p', '/run/network']);
  for (const side of SIDES) {
    await node.run(['ip', 'address', 'flush', 'dev', node.plan.links[side].device, 'scope', 'global']);
  }
  await node.run(['ifup', '-a']);
};

const interfacesOf = (node: FirewallNode): string =>
  SIDES.map((side) => {
    const { device, address, address6 } = node.plan.links[side];
    const ip6 =
      side === 'sync' || address6 === undefined
        ? ''
        : `iface ${device} inet6 static\n  address ${address6}\n`;
    return `auto ${device}\niface ${device} inet static\n  address ${address}\n${ip6}`;
  }).join('\n');
