import { expect, test } from 'vitest';
import { createLab } from './labs.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { Story } from './story.ts';

/** What a node's programs have dropped, by the kernel's own count. */
const dropped = async (node: FirewallNode): Promise<number> => {
  const texts = await Promise.all(
    ['eth1', 'eth2'].map((device) => node.run(['tc', '-s', 'qdisc', 'show', 'dev', device])),
  );
  const counts = [...texts.join('').matchAll(/clsact[^(]*\(dropped (\d+)/g)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
};

test.each([{ snat: true }, { snat: false }])(
  'with a prefilter, %o: fw1 dies and returns, no flow is lost',
  async ({ snat }) => {
    const lab = await createLab({ cluster: { snat, manager: 'keepalived', more: ['prefilter: true'] } });
    const story = await Story.begin(lab, 'keepalived');
    await story.powerCut('fw1');
    await story.steady();
    await story.comeBack('fw1');
    await story.steady();
    expect(await dropped(lab.node('fw1'))).toBeGreaterThan(100);
    expect(await dropped(lab.node('fw2'))).toBeGreaterThan(100);
    await story.expectAllWell();
  },
);

test('the program is there again within a second of the removal of its qdisc', async () => {
  const lab = await createLab({
    clients: 1,
    cluster: { snat: true, manager: 'keepalived', more: ['prefilter: true'] },
  });
  const story = await Story.begin(lab, 'keepalived');
  for (const node of lab.nodes) {
    for (const device of ['eth1', 'eth2']) {
      await until('the program', () => hasProgram(node, device), 5000);
      await node.run(['tc', 'qdisc', 'delete', 'dev', device, 'clsact']);
      const from = Date.now();
      await until('the program again', () => hasProgram(node, device), 5000);
      const milliseconds = Date.now() - from;
      console.log(`${node.name}: ${device} after ${milliseconds} ms`);
      expect(milliseconds).toBeLessThan(1000);
    }
    const text = await node.daemon('agent').output();
    expect(text.match(/eth1: the prefilter was removed by another program; put back/g)).toHaveLength(1);
  }
  await story.steady();
  await story.expectAllWell();
}, 60_000);

const hasProgram = async (node: FirewallNode, device: string): Promise<boolean> =>
  (await node.run(['tc', 'filter', 'show', 'dev', device, 'ingress'])).includes('pref 31415 bpf');
