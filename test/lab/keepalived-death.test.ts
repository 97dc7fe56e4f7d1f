import { expect, test } from 'vitest';
import { killKeepalived } from './keepalived-process.ts';
import { createLab } from './labs.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { HOMES } from './shares.ts';
import { Story } from './story.ts';
import { warningTexts } from './warnings.ts';

const warningsOf = async (node: FirewallNode): Promise<string> => (await warningTexts(node)).join('\n');

test("the owner's keepalived dies: the peer takes over by the word, and gives back when it runs again", async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const fw1 = lab.node('fw1');
  const story = await Story.begin(lab, 'keepalived');
  expect(await warningsOf(fw1)).toBe('');

  await killKeepalived(fw1);
  await story.changes({ fw1: 'none', fw2: 'all' });
  await until('the warning', async () => /keepalived/.test(await warningsOf(fw1)), 5000);
  await story.steady();

  await fw1.startKeepalived();
  await story.changes(HOMES);
  await until('no warning', async () => (await warningsOf(fw1)) === '', 5000);
  await story.steady();
  await story.expectAllWell();
});
