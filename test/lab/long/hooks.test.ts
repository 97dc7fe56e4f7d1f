import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { agentUp, bringUp } from '../cluster.ts';
import { establishedFlows } from '../flows.ts';
import { createLab } from '../labs.ts';
import { untilMaster } from '../notify-fifo.ts';
import { withHooks, withoutFifo } from '../rewrites.ts';
import { HOMES, readShares, untilShares } from '../shares.ts';
import { Story } from '../story.ts';

const HOOK = fileURLToPath(new URL('../../../hooks/keepalived-notify', import.meta.url));

const FORMS = [
  ['notify, as keepalived calls it; then none', withHooks(() => [`notify "${HOOK}"`]), 'SIGKILL'],
  [
    'notify_master and others, as primary-backup.sh is called; then one that hangs',
    withHooks((group) => [
      `notify_master "${HOOK} primary ${group}"`,
      `notify_backup "${HOOK} backup ${group}"`,
      `notify_fault "${HOOK} fault ${group}"`,
      `notify_stop "${HOOK} fault ${group}"`,
    ]),
    'SIGSTOP',
  ],
] as const;

test.each(FORMS)('an agent hears the hooks: %s', async (_, rewrite, end) => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  const story = await Story.begin(lab, 'keepalived', establishedFlows(lab), rewrite);

  await story.powerCut('fw1');
  await story.steady();
  await story.comeBack('fw1');
  await story.steady();

  // keepalived's last word and its death reach the agent only by hooks: SIGTERM says STOP.
  await fw1.daemon('keepalived').kill('SIGTERM');
  await story.changes({ fw1: 'none', fw2: 'all' });
  await fw1.startKeepalived();
  await story.changes(HOMES);
  await story.steady();

  await fw2.daemon('agent').kill(end);
  await story.powerCut('fw1');
  await story.steady();
  // One that hung was ended, for the round that takes its place.
  await fw2.startAgent();
  await agentUp(fw2);
  await story.comeBack('fw1');
  await story.steady();
  await untilShares(lab, HOMES);
  await story.expectAllWell();
});

test('without hooks, and without the FIFO, nobody owns anything', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'keepalived', { rewrite: withoutFifo })));
  await untilMaster(lab.node('fw1'), 0, true);
  await untilMaster(lab.node('fw2'), 1, true);
  await sleep(3000);
  expect(JSON.parse(await readShares(lab))).toEqual([[], []]);
});
