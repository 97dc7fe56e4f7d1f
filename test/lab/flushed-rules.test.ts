import { expect, test } from 'vitest';
import { restartAgent } from './cluster.ts';
import { flowsOfBothHomes } from './flows.ts';
import { createLab } from './labs.ts';
import { SHARED_MAC } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { HOMES, untilShares } from './shares.ts';
import { Story } from './story.ts';
import { type Absence, watchTables } from './table-watch.ts';

/** The promise; what it takes is printed. */
const BOUND_MS = 1000;
const FLUSHES = 3;
/** In that time neighbours have been told the shared MAC again. */
const TOLD_MS = 2500;
/** What `systemctl restart nftables` loads with Debian's /etc/nftables.conf. */
const RESTART = `flush ruleset
table inet filter {
  chain forward { type filter hook forward priority filter; }
}`;

/** Milliseconds; Infinity: still. */
const longest = (absences: readonly Absence[]): number =>
  Math.max(...absences.map(({ from, to }) => (to ?? Number.POSITIVE_INFINITY) - from));

test('somebody flushes the whole rule set: it is mended at once, and no flow is lost', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const [, c2] = lab.clients;
  const story = await Story.begin(lab, 'keepalived', c2 && flowsOfBothHomes(c2.plan));
  for (const node of lab.nodes) {
    const absences = await watchTables(node);
    // c1 has no flows: a neighbour that asked in that very moment was told the node's own MAC.
    const { mac } = node.plan.links.inside;
    await lab.client('c1').machine.ip([`neigh replace 192.168.0.5 lladdr ${mac} dev eth0 nud stale`]);
    for (let flush = 1; flush <= FLUSHES; flush += 1) {
      await node.run(['nft', '-f', '-'], { input: flush % 2 === 0 ? RESTART : 'flush ruleset' });
      const flushed = Date.now();
      await until('the tables', async () => (await absences()).filter(({ to }) => to).length === flush, 5000);
      await until('the neighbours', () => Date.now() >= flushed + TOLD_MS, TOLD_MS + 1000);
    }
    console.log(`${node.name}: ${(await absences()).map(({ from, to = 0 }) => Math.round(to - from))} ms`);
    expect(longest(await absences())).toBeLessThan(BOUND_MS);
    await untilShares(lab, HOMES);
    await until(
      'the shared MAC',
      async () => (await lab.client('c1').machine.run(['ip', 'neigh'])).includes(SHARED_MAC.inside),
      5000,
    );
    const status = await node.product(['status', '--json']);
    expect(status).toMatch(
      /tables netdev conntrack_ha and inet conntrack_ha were removed by another program, and loaded again with 32 buckets/,
    );
    expect(await node.product(['events'])).toMatch(
      /mend: tables .* were removed by another program\n\s+ms: load/,
    );
    await story.synced(node.name);
    await story.answered();
  }
  await story.expectAllWell();
});

test('without the guard it takes as long as until the node is given up', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  await Story.begin(lab, 'keepalived', []);
  const fw1 = lab.node('fw1');
  await restartAgent(fw1, 'guard');
  const absences = await watchTables(fw1);
  const flushed = Date.now();
  await fw1.run(['nft', 'flush', 'ruleset']);
  await until('more than the promise', () => Date.now() > flushed + BOUND_MS + 500, BOUND_MS + 1500);
  expect(longest(await absences())).toBeGreaterThan(BOUND_MS);
});
