import { expect, test } from 'vitest';
import { bringUp } from './cluster.ts';
import { flowsOfBothHomes } from './flows.ts';
import { createLab } from './labs.ts';
import { HOMES, readShares, untilShares } from './shares.ts';
import { Story } from './story.ts';

test.each(['none', 'keepalived'] as const)(
  'manager %s: both nodes boot at the same moment',
  async (manager) => {
    const lab = await createLab({ clients: 1, cluster: { snat: true, manager } });
    await Promise.all(lab.nodes.map((node) => bringUp(node, manager)));
    await untilShares(lab, HOMES, 10_000);
    // What lies on the disks of nodes that have served must not matter.
    await Promise.all(lab.nodes.map((node) => node.powerCut()));
    const story = await Story.begin(
      lab,
      manager,
      lab.clients.flatMap(({ plan }) => flowsOfBothHomes(plan)),
    );
    const shares = await readShares(lab);
    await story.steady();
    expect(await readShares(lab)).toBe(shares);
    await story.expectAllWell();
  },
);
