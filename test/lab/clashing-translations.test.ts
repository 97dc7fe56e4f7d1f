import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { addressAt } from './flows.ts';
import { createLab } from './labs.ts';
import type { FirewallNode } from './rig/node.ts';
import { planClient } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { untilShares } from './shares.ts';
import { Story } from './story.ts';

/** How each flow of a protocol is translated: the port, by what the client sees. */
const translationsOf = async (
  node: FirewallNode,
  protocol: 'tcp' | 'udp',
): Promise<ReadonlyMap<string, string>> => {
  const text = await node.run(['conntrack', '-L', '-p', protocol]);
  return new Map(
    text.split('\n').flatMap((line) => {
      const [, flow, port] = /(src=\S+ dst=\S+ sport=\d+ dport=\d+).*?src=.*?dport=(\d+)/.exec(line) ?? [];
      return flow && port ? [[flow, port] as const] : [];
    }),
  );
};

/** Flows that both nodes know, and translate differently. */
const differences = async (one: FirewallNode, other: FirewallNode): Promise<readonly string[]> => {
  const found = await Promise.all(
    (['tcp', 'udp'] as const).map(async (protocol) => {
      const [ours, theirs] = await Promise.all([
        translationsOf(one, protocol),
        translationsOf(other, protocol),
      ]);
      return [...ours].filter(([flow, port]) => (theirs.get(flow) ?? port) !== port).map(([flow]) => flow);
    }),
  );
  return found.flat();
};

test('what two owners have translated in two ways is one flow again, and the home gets its group back', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  const story = await Story.begin(lab, 'keepalived');
  await fw1.freeze({ forwarding: true });
  await untilShares(lab, { fw1: 'home', fw2: 'all' });
  const from = addressAt(planClient(1), 'fw1');
  story.traffic.add(
    Array.from({ length: 10 }, (_, index) => ({
      id: `c1.young.udp${index}`,
      kind: 'udp' as const,
      from,
      intervalMs: 5,
    })),
  );
  await sleep(4000);
  expect(await differences(fw1, fw2)).not.toEqual([]);
  await fw1.thaw();
  await story.homeAgain();
  await until(
    'the same translations',
    () => differences(fw1, fw2),
    15_000,
    (found) => found.length === 0,
  );
});
