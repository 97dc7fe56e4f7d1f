import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { agentUp } from '../cluster.ts';
import { establishedFlows } from '../flows.ts';
import { killKeepalived } from '../keepalived-process.ts';
import { createLab } from '../labs.ts';
import type { Lab } from '../rig/lab.ts';
import type { FirewallNode } from '../rig/node.ts';
import { HOMES, untilShares, watchOwned } from '../shares.ts';
import { Story } from '../story.ts';

const LEASE_MS = 15_000;

const withLease = (lease: string): Promise<Lab> =>
  createLab({ cluster: { snat: true, manager: 'keepalived', more: [`timeouts: { lease: ${lease} }`] } });

/** Nobody is left on the node who could renew the lease. */
const killBoth = async (node: FirewallNode): Promise<void> => {
  await node.daemon('agent').kill('SIGKILL');
  await killKeepalived(node);
};

test('a node without an agent and without a manager falls silent when its lease ends', async () => {
  const lab = await withLease('15s');
  const fw1 = lab.node('fw1');
  const story = await Story.begin(lab, 'keepalived', establishedFlows(lab));
  const from = Date.now();
  await killBoth(fw1);
  await untilShares(lab, { fw1: 'home', fw2: 'all' });
  await untilShares(lab, { fw1: 'none', fw2: 'all' }, LEASE_MS + 1000);
  await story.answered();
  await fw1.startAgent();
  await agentUp(fw1);
  await fw1.startKeepalived();
  await untilShares(lab, HOMES);
  story.note({ from, to: Date.now() });
  await story.steady();

  // The last node has no agent either: keepalived's check renews in its place.
  await lab.node('fw2').daemon('agent').kill('SIGKILL');
  await story.powerCut('fw1');
  const changes = await watchOwned(lab.node('fw2'));
  await sleep(LEASE_MS + 5000);
  expect(await changes()).toEqual([]);
  await story.answered();
  await story.expectAllWell();
});

test('without a lease it does not', async () => {
  const lab = await withLease('0');
  const story = await Story.begin(lab, 'keepalived', establishedFlows(lab));
  await killBoth(lab.node('fw1'));
  await untilShares(lab, { fw1: 'home', fw2: 'all' });
  const changes = await watchOwned(lab.node('fw1'));
  await sleep(LEASE_MS + 1000);
  expect(await changes()).toEqual([]);
  await story.answered();
});
