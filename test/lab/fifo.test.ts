import { expect, test } from 'vitest';
import { agentUp } from './cluster.ts';
import { killKeepalived, reloadKeepalived } from './keepalived-process.ts';
import { createLab } from './labs.ts';
import { LogTail } from './log-tail.ts';
import { corrections, keptWord } from './notify-fifo.ts';
import { withoutRealtime } from './rewrites.ts';
import { until } from './rig/wait.ts';
import { HOMES, untilShares } from './shares.ts';
import { Story } from './story.ts';

const FW2_ALL = { fw1: 'none', fw2: 'all' } as const;

test('keepalived is reloaded, stopped, killed, and started before the agent', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const fw1 = lab.node('fw1');
  const story = await Story.begin(lab, 'keepalived');
  const log = new LogTail(fw1);

  // Its last words come after TERM and before the end of file.
  await log.forget();
  await fw1.daemon('keepalived').kill('SIGTERM');
  await log.hears(/keepalived is gone/);
  for (const group of ['fw1_fw2', 'fw2_fw1']) {
    expect(keptWord(fw1, group)).toBe('replica keepalived STOP');
  }
  await story.changes(FW2_ALL);

  await fw1.startKeepalived(withoutRealtime(await fw1.product(['render', 'keepalived'])));
  await story.changes(HOMES);
  await story.steady();
  const from = Date.now();
  await reloadKeepalived(fw1);
  // Nothing need have changed hands; if it has, since a reload sets the track files back, it comes back.
  await untilShares(lab, HOMES);
  story.note({ from, to: Date.now() });
  await story.steady();
  await untilShares(lab, HOMES);
  expect(keptWord(fw1, 'fw1_fw2')).toBe('owner keepalived MASTER');

  // A killed one leaves its FIFO, and its addresses on lo: they mean nothing while nobody writes.
  await killKeepalived(fw1);
  await story.changes(FW2_ALL);
  await story.steady();
  expect(await fw1.run(['ip', '-4', 'address', 'show', 'dev', 'lo'])).toContain('127.84.0.50/32');

  // The agent comes late: what keepalived has said before lies in the pipe.
  await fw1.daemon('agent').kill('SIGKILL');
  await fw1.startKeepalived();
  await until(
    'keepalived to be BACKUP',
    async () => (await fw1.daemon('keepalived').output()).split('Starting Keepalived').at(-1) ?? '',
    5000,
    (output) => output.includes('(fw2_fw1) Entering BACKUP STATE'),
  );
  await fw1.startAgent();
  await agentUp(fw1);
  await story.changes(HOMES);
  expect(await corrections(fw1)).toEqual([]);
  await story.steady();
  await story.expectAllWell();
});
