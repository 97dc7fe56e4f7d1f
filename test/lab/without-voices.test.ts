import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Rewrite } from './cluster.ts';
import { createLab } from './labs.ts';
import { watchOwners } from './owners.ts';
import { withoutStop } from './rewrites.ts';
import { untilShares } from './shares.ts';
import { Story } from './story.ts';

/** Long enough for a stand-in; a lease lasts 30 s. */
const SOON_MS = 5000;

/** fw1's agent is killed, and its keepalived is stopped before its check has noticed. */
const loseBoth = async (rewrite?: Rewrite) => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const fw1 = lab.node('fw1');
  const story = await Story.begin(lab, 'keepalived', undefined, rewrite);
  const owners = watchOwners(lab);
  const from = Date.now();
  await fw1.daemon('agent').kill('SIGKILL');
  await fw1.daemon('keepalived').kill();
  return { lab, story, owners, from };
};

test('without agent and keepalived a node gives up what it owns as soon as keepalived ends', async () => {
  const { lab, story, owners, from } = await loseBoth();
  await story.changes({ fw1: 'none', fw2: 'all' }, from);
  await story.steady();
  const { two, none } = await owners();
  console.log(`two owners for ${two} ms, none for ${none} ms`);
  expect(two).toBeLessThan(100);

  await lab.node('fw1').startAgent();
  await lab.node('fw1').startKeepalived();
  await story.homeAgain();
  await story.steady();
  await story.expectAllWell();
});

test('where keepalived calls nobody as it ends, the node goes on with what its peer has taken over', async () => {
  const { lab, owners } = await loseBoth(withoutStop);
  await untilShares(lab, { fw1: 'home', fw2: 'all' });
  await sleep(SOON_MS);
  expect((await owners()).two).toBeGreaterThan(SOON_MS);
});
