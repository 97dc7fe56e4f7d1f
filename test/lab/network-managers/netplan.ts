import type { FirewallNode } from '../rig/node.ts';
import { SIDES } from '../rig/plan.ts';

/**
 * Writes the node's own addresses as netplan has them, and has it write networkd's files. `netplan apply` can't be run where systemd
 * isn't the first process: what it does beside that is `networkctl reload`, and `networkctl reconfigure` of all interfaces (its
 * cli/commands/apply.py).
 */
export const generateByNetplan = async (node: FirewallNode): Promise<void> => {
  const ethernets = SIDES.map((side) => {
    const { device, address, address6 } = node.plan.links[side];
    const addresses = [address, ...(address6 === undefined ? [] : [address6])];
    return `    ${device}: { addresses: ${JSON.stringify(addresses)} }\n`;
  });
  await node.writeConfiguration(
    '/etc/netplan/10-cluster.yaml',
    `network:\n  version: 2\n  renderer: networkd\n  ethernets:\n${ethernets.join('')}`,
    0o600,
  );
  await node.run(['netplan', 'generate']);
};
