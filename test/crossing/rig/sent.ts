import type { Machine } from '../../lab/rig/machine.ts';

/** Packets, of all machines of a kind together. */
export interface Tally {
  /** Sent by hosts to shared MACs: fragments each by itself. */
  readonly sent: number;
  /** Let in by the firewalls of what came to shared MACs; each node's copy of a fragment that it must put together first. */
  readonly taken: number;
  /** Forwarded by the firewalls, put together. */
  readonly forwarded: number;
}

/** Has hosts and firewalls count packets to any of the MACs, but for ARP and neighbour discovery. Behind our own tables. */
export const countPackets = async (
  hosts: readonly Machine[],
  nodes: readonly Machine[],
  macs: readonly string[],
): Promise<void> => {
  const counted = `\
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept
    ether daddr { ${macs.join(', ')} } meta protocol { ip, ip6 } counter`;
  const atHost = table('netdev', 'out', 'egress device "eth0" priority 0', counted);
  const atNode = table('netdev', 'in', 'ingress devices = { "eth1", "eth2", "eth4" } priority 0', counted);
  const forwarding = table('inet', 'on', 'forward priority 300', '    counter');
  await Promise.all([
    ...hosts.map((host) => host.run(['nft', '-f', '-'], { input: atHost })),
    ...nodes.map((node) => node.run(['nft', '-f', '-'], { input: atNode + forwarding })),
  ]);
};

/** All that was counted since. */
export const tally = async (hosts: readonly Machine[], nodes: readonly Machine[]): Promise<Tally> => {
  const sum = async (machines: readonly Machine[], chain: readonly string[]): Promise<number> => {
    const texts = await Promise.all(machines.map((one) => one.run(['nft', 'list', 'chain', ...chain])));
    return texts.reduce((total, text) => total + Number(/packets (\d+)/.exec(text)?.[1]), 0);
  };
  const [sent, taken, forwarded] = await Promise.all([
    sum(hosts, ['netdev', 'tally', 'out']),
    sum(nodes, ['netdev', 'tally', 'in']),
    sum(nodes, ['inet', 'tally', 'on']),
  ]);
  return { sent, taken, forwarded };
};

const table = (family: string, chain: string, hook: string, rules: string): string => `
table ${family} tally {}
delete table ${family} tally
table ${family} tally {
  chain ${chain} {
    type filter hook ${hook}; policy accept;
${rules}
  }
}
`;
