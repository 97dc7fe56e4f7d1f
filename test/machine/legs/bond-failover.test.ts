import { it } from 'vitest';
import { askKind, expectAnswers, hostPorts } from '../../crossing/rig/asking.ts';
import { crossingConfig } from '../../crossing/rig/config.ts';
import { addressOf, Crossing, SERVER } from '../../crossing/rig/crossing.ts';
import { until } from '../../lab/rig/wait.ts';
import { plugBonds } from './plugs.ts';

const SIDES = ['lan', 'wan'] as const;
const NODES = ['fw1', 'fw2'] as const;

it('a bond goes on with its other port, with the same rules, when the used one loses its carrier, and goes back', async () => {
  const crossing = await Crossing.build(plugBonds);
  try {
    const config = crossingConfig({ snat: true });
    await crossing.load(config);
    const asked = async () => {
      for (const family of ['ip', 'ip6'] as const) {
        const server = { address: addressOf('wan', family, SERVER), ...hostPorts };
        expectAnswers('udp', await askKind(crossing, 'udp', 'lan', server));
      }
    };
    await asked();
    for (const { up, used } of [
      { up: false, used: 'b' },
      { up: true, used: 'a' },
    ]) {
      await Promise.all(
        NODES.flatMap((node) => SIDES.map((side) => crossing.switches[side].setPort(`${node}a`, up))),
      );
      for (const node of NODES) {
        for (const device of ['eth1', 'eth2']) {
          const look = () => crossing.nodes[node].run(['cat', `/proc/net/bonding/${device}`]);
          const active = `Currently Active Slave: ${device}${used}\n`;
          await until(`${node}'s ${device} to use ${used}`, look, 5000, (text) => text.includes(active));
        }
      }
      await asked();
    }
  } finally {
    await crossing.remove();
  }
});
