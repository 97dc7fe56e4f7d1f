import { expect, test } from 'vitest';
import { bringUp } from './cluster.ts';
import { establishedFlows } from './flows.ts';
import { createLab } from './labs.ts';
import { HOMES, untilShares } from './shares.ts';
import { untilAnswered } from './traffic/answered.ts';
import { Traffic } from './traffic/traffic.ts';

test('an owner loses its outside, and its conntrackd before that: the peer serves what it holds', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'keepalived')));
  await untilShares(lab, HOMES);
  const traffic = await Traffic.start(lab);
  traffic.add(establishedFlows(lab));
  await traffic.ready();
  await untilAnswered(traffic);
  const fw1 = lab.node('fw1');
  await fw1.daemon('conntrackd').kill('SIGKILL');
  // The peer knows nothing of fw1's flows from now on, and can't be sent any.
  await lab.node('fw2').daemon('agent').kill();
  await lab.node('fw2').startAgent();
  await untilShares(lab, HOMES);
  await fw1.cutLink('outside');
  await untilShares(lab, { fw1: 'none', fw2: 'all' });
  await untilAnswered(traffic);
  const verdicts = await traffic.stop();
  expect(verdicts.filter(({ lost }) => lost).map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
}, 60_000);
