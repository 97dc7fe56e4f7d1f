import { expect, test } from 'vitest';
import { FAMILIES } from '../../../src/dataplane/owned.ts';
import { establishedFlows } from '../flows.ts';
import { createLab } from '../labs.ts';
import type { FirewallNode } from '../rig/node.ts';
import { until } from '../rig/wait.ts';
import { HOMES, untilShares } from '../shares.ts';
import { Story } from '../story.ts';

const BOUND_MS = 200;
/** How long the change and this test's own looks at the rules may take, on a busy machine. */
const LOOK_MS = 600;
const [, SECOND] = FAMILIES;

/** Our rules, with neither counters nor what the owned set holds. */
const rulesOf = async (node: FirewallNode): Promise<string> =>
  (await node.run(['nft', '-s', 'list', 'ruleset']))
    .replace(/set owned \{[^}]*\}/, '')
    .split('\n')
    .sort()
    .join('\n');

test.each([
  { change: 'delete table netdev conntrack_ha', snat: true },
  { change: 'flush set netdev conntrack_ha owned', snat: true },
  { change: 'flush chain netdev conntrack_ha decide_ip', snat: true },
  { change: `flush chain ${SECOND} conntrack_ha translate`, snat: true },
  // With SNAT translated flows are reset: what passes meanwhile isn't translated (docs/coexistence.md).
  { change: `delete table ${SECOND} conntrack_ha`, snat: false },
])('somebody breaks a part of our rules: $change: no flow is lost', async ({ change, snat }) => {
  const lab = await createLab({ cluster: { snat, manager: 'keepalived' } });
  const story = await Story.begin(lab, 'keepalived', establishedFlows(lab));
  const fw1 = lab.node('fw1');
  const before = await rulesOf(fw1);
  for (let time = 1; time <= 3; time += 1) {
    const from = Date.now();
    await fw1.run(['nft', change]);
    await until('the rules', async () => (await rulesOf(fw1)) === before, LOOK_MS + BOUND_MS);
    const shares = await untilShares(lab, HOMES);
    story.note({ from, to: shares.to });
    console.log(`${change}: whole after ${shares.to - from} ms`);
    expect(shares.to - from).toBeLessThan(BOUND_MS + LOOK_MS);
    await story.synced('fw1');
  }
  await story.steady();
  await story.expectAllWell();
});
