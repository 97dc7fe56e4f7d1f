import { test } from 'vitest';
import { type Family, flowsIntoDmz, flowsToPublished } from '../dmz-flows.ts';
import { flowsOfBothHomes } from '../flows.ts';
import { createLab } from '../labs.ts';
import { withStall } from '../stalls.ts';
import { Story } from '../story.ts';

const FAMILIES: readonly Family[] = [4, 6];

test.each([
  { first: 'fw1', second: 'fw2', publish: 'translated', snat: true },
  { first: 'fw2', second: 'fw1', publish: 'plain', snat: false },
] as const)(
  'a DMZ, published $publish, snat $snat: $first and then $second dies and returns: no flow is lost',
  async (one) => {
    const lab = await createLab({
      ip6: true,
      dmz: true,
      clients: 1,
      cluster: { snat: one.snat, publish: one.publish, manager: 'keepalived' },
    });
    const { plan } = lab.client('c1');
    const story = await Story.begin(lab, 'keepalived', [
      ...flowsOfBothHomes(plan).filter(({ kind }) => kind !== 'bulk'),
      ...FAMILIES.flatMap((family) => [
        ...flowsIntoDmz(plan, family),
        ...flowsToPublished(one.publish, family),
      ]),
    ]);
    for (const name of [one.first, one.second]) {
      await withStall(story, `published ${one.publish}, ${name} dies`, () => story.powerCut(name));
      await withStall(story, `published ${one.publish}, ${name} returns`, () => story.comeBack(name));
    }
    await story.expectAllWell();
  },
  120_000,
);
