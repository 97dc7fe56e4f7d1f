import { test } from 'vitest';
import { killKeepalived, reloadKeepalived } from '../keepalived-process.ts';
import { createLab } from '../labs.ts';
import { untilMaster } from '../notify-fifo.ts';
import { withoutRealtime } from '../rewrites.ts';
import type { FirewallNode } from '../rig/node.ts';
import { Story } from '../story.ts';

const FAULTS: readonly (readonly [string, (node: FirewallNode) => Promise<unknown>])[] = [
  ['stopped', (node) => node.daemon('keepalived').kill('SIGTERM')],
  ['killed', killKeepalived],
  ['reloaded', reloadKeepalived],
];

test.each(FAULTS)(
  'keepalived is %s in the middle of a hand-over, on either side',
  async (_, strike) => {
    const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
    const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
    const story = await Story.begin(lab, 'keepalived', undefined, withoutRealtime);
    for (const struck of [fw1, fw2]) {
      await story.synced('fw2');
      const from = Date.now();
      await fw1.product(['drain']);
      await story.changes({ fw1: 'none', fw2: 'all' }, from);
      await story.synced('fw1');
      const resumed = Date.now();
      const resume = fw1.product(['resume']).catch(() => undefined);
      await untilMaster(fw1, 0, true);
      await strike(struck);
      await resume;
      if (!struck.daemon('keepalived').running) {
        await struck.startKeepalived();
      }
      await story.changes({ fw1: 'home', fw2: 'home' }, resumed);
      await story.steady();
    }
    await story.expectAllWell();
  },
  120_000,
);
