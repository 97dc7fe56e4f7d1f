import { expect, test } from 'vitest';
import { createLab } from './labs.ts';
import type { FirewallNode } from './rig/node.ts';
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
