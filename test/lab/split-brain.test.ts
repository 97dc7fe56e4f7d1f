import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { establishedFlows } from './flows.ts';
import { createLab } from './labs.ts';
import type { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { HOMES, untilShares, watchOwned } from './shares.ts';
import { Story } from './story.ts';
import { summarize } from './verdict/summary.ts';
import { warningTexts } from './warnings.ts';

/** How long a cut is watched. */
const CUT_MS = 4000;

const warningsOf = async (node: FirewallNode): Promise<string> => (await warningTexts(node)).join('\n');

const untilWarned = (lab: Lab, warning: RegExp): Promise<unknown> =>
  until(
    `${warning} in every status`,
    () => Promise.all(lab.nodes.map(warningsOf)),
    5000,
    (texts) => texts.every((text) => warning.test(text)),
  );

/** Both nodes lose what VRRP says to them. */
const cutVrrp = async (lab: Lab): Promise<void> => {
  const rules = `table netdev lab_vrrp {
    chain in { type filter hook ingress device "eth1" priority -600; ip protocol vrrp drop; }
  }`;
  await Promise.all(lab.nodes.map((node) => node.run(['nft', '-f', '-'], { input: rules })));
};

const healVrrp = async (lab: Lab): Promise<void> => {
  await Promise.all(lab.nodes.map((node) => node.run(['nft', 'delete', 'table', 'netdev', 'lab_vrrp'])));
};

const cutSync = async (lab: Lab): Promise<void> => {
  await Promise.all(lab.nodes.map((node) => node.cutLink('sync')));
};

const healSync = async (lab: Lab): Promise<void> => {
  await Promise.all(lab.nodes.map((node) => node.healLink('sync')));
};

/** Waits until the nodes agree again, and hold each other's states. */
const untilAgreed = (lab: Lab): Promise<unknown> => untilWarned(lab, /^$/);

const PATHS = {
  vrrp: { cut: cutVrrp, heal: healVrrp, warning: /is VRRP between the nodes cut\?/ },
  sync: { cut: cutSync, heal: healSync, warning: /doesn't answer on the sync link/ },
} as const;

test('one path cut: nobody changes, and both nodes say so', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const story = await Story.begin(lab, 'keepalived');
  const watches = await Promise.all(lab.nodes.map(watchOwned));
  for (const { cut, heal, warning } of Object.values(PATHS)) {
    await cut(lab);
    await untilWarned(lab, warning);
    await sleep(CUT_MS);
    await story.answered();
    await heal(lab);
    await untilAgreed(lab);
    await Promise.all(lab.nodes.map(({ name }) => story.synced(name)));
  }
  await story.answered();
  expect(await Promise.all(watches.map((changes) => changes()))).toEqual([[], []]);
  await story.expectAllWell();
});

test.each([
  ['vrrp', 'sync'],
  ['sync', 'vrrp'],
] as const)('both cut: both serve; %s returns first, then %s', async (first, second) => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const story = await Story.begin(lab, 'keepalived', establishedFlows(lab));
  const from = Date.now();
  await Promise.all([PATHS.vrrp.cut(lab), PATHS.sync.cut(lab)]);
  const split = await untilShares(lab, { fw1: 'all', fw2: 'all' });
  await sleep(CUT_MS);
  await story.answered();

  const healed = Date.now();
  await PATHS[first].heal(lab);
  const { to } = await untilShares(lab, HOMES);
  story.note({ from, to });
  const { twice } = summarize(story.traffic.snapshot());
  console.log(
    `split after ${split.to - from} ms; ${first} back: one owner after ${to - healed} ms; twice ${twice}`,
  );
  expect(to - healed).toBeLessThan(2000);
  expect(twice).toBeGreaterThan(0);
  await story.steady();

  const watches = await Promise.all(lab.nodes.map(watchOwned));
  await PATHS[second].heal(lab);
  await untilAgreed(lab);
  await Promise.all(lab.nodes.map(({ name }) => story.synced(name)));
  await story.answered();
  expect(await Promise.all(watches.map((changes) => changes()))).toEqual([[], []]);
  await story.expectAllWell();
});
