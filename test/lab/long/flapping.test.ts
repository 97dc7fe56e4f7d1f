import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { establishedFlows } from '../flows.ts';
import { createLab } from '../labs.ts';
import { FLAP, withFlap } from '../rewrites.ts';
import type { FirewallNode } from '../rig/node.ts';
import { HOMES, untilShares, watchOwned } from '../shares.ts';
import { Story } from '../story.ts';
import { summarize } from '../verdict/summary.ts';

/** Ten times a second to and fro, with the time that keepalived takes for it. */
const UP_MS = 55;
const DOWN_MS = 35;
const LONG_MS = 60_000;

/** A keepalived that is in FAULT while its file says so, and quick to notice it of its peer. */
const nervous = (text: string): string => withFlap(text).replaceAll(/advert_int .*/g, 'advert_int 0.01');

const flapFor = async (node: FirewallNode, milliseconds: number): Promise<number> => {
  const file = node.machine.path(FLAP);
  const end = Date.now() + milliseconds;
  let times = 0;
  for (; Date.now() < end; times += 1) {
    writeFileSync(file, '1');
    await sleep(DOWN_MS);
    writeFileSync(file, '0');
    await sleep(UP_MS);
  }
  return times;
};

const linesOf = async (node: FirewallNode): Promise<readonly string[]> =>
  (await node.daemon('agent').output()).trim().split('\n');

/** How often a group of 32 buckets was taken over, as the kernel has announced it. */
const takeovers = (changes: readonly string[]): number =>
  changes.filter((change) => change.startsWith('+')).length / 32;

test('keepalived changes its mind ten times a second for a minute: the last word wins', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const fw1 = lab.node('fw1');
  const story = await Story.begin(lab, 'keepalived', establishedFlows(lab), nervous);
  const before = await Promise.all(lab.nodes.map(linesOf));
  const changes = await watchOwned(fw1);
  const from = Date.now();
  const times = await flapFor(fw1, LONG_MS);
  await untilShares(lab, HOMES);
  story.note({ from, to: Date.now() });
  await story.steady();
  await untilShares(lab, HOMES);
  const lines = (await Promise.all(lab.nodes.map(linesOf))).map((all, node) =>
    all.slice(before[node]?.length),
  );
  const { twice } = summarize(story.traffic.snapshot());
  const moved = takeovers(await changes());
  console.log(
    `${times} times to and fro, ${moved} takeovers; lines ${lines.map(({ length }) => length)}; twice ${twice}`,
  );
  expect(moved).toBeGreaterThan(times / 4);
  for (const each of lines) {
    expect(each.length).toBeLessThan(40);
    expect(each.join('\n')).toMatch(/changes hands too often: \d+ more times in 10 s/);
  }
  await story.expectAllWell();
}, 150_000);

test('with holddown it doesn’t follow', async () => {
  const holddown = ['timeouts: { holddown: 5s }'];
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived', more: holddown } });
  const fw1 = lab.node('fw1');
  const story = await Story.begin(lab, 'keepalived', establishedFlows(lab), nervous);
  const changes = await watchOwned(fw1);
  const from = Date.now();
  await flapFor(fw1, LONG_MS / 3);
  await untilShares(lab, HOMES);
  story.note({ from, to: Date.now() });
  const moved = takeovers(await changes());
  console.log(`${moved} takeovers with a holddown of 5 s`);
  // Of either group, in the time and just after it.
  expect(moved).toBeLessThanOrEqual(2 * (LONG_MS / 3 / 5000 + 1));
  await story.steady();
  await story.expectAllWell();
}, 150_000);
