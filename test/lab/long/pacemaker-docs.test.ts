import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { flowsOfBothHomes } from '../flows.ts';
import { createLab } from '../labs.ts';
import { cutClusterLinks, untilOnline } from '../pacemaker.ts';
import type { FirewallNode } from '../rig/node.ts';
import { PowerSwitch } from '../rig/power-switch.ts';
import { HOMES, untilShares } from '../shares.ts';
import { untilAnswered } from '../traffic/answered.ts';
import { Traffic } from '../traffic/traffic.ts';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const PREPARE = fileURLToPath(new URL('pacemaker-docs.sh', import.meta.url));
const STACK = fileURLToPath(new URL('../rig/cluster-stack.sh', import.meta.url));

interface Step {
  readonly where: 'each' | 'one' | 'file';
  readonly text: string;
}

/** The steps of the document's first part, as they stand there. */
const stepsOf = (document: string): readonly Step[] => {
  const [, part = ''] =
    /^## From nothing to two nodes\n([\s\S]*?)^(?:## |`conntrack-ha render)/m.exec(document) ?? [];
  return [
    ...part.matchAll(/^\*\*(On each node|On one node|The file|Look)[\s\S]*?\n\n((?: {4}.*\n|\n(?= {4}))+)/gm),
  ].map(([, where, block = '']) => ({
    where: where === 'On each node' ? 'each' : where === 'The file' ? 'file' : 'one',
    text: block.replace(/^ {4}/gm, ''),
  }));
};

const prepare = async (node: FirewallNode, tree: string, power: PowerSwitch): Promise<void> => {
  await node.boot();
  await node.writeConfiguration(
    '/etc/conntrackd/conntrackd.conf',
    await node.product(['render', 'conntrackd']),
  );
  await node.startConntrackd();
  await power.install(node);
  await node.run(['bash', STACK, tree]);
  await node.run(['bash', PREPARE, PROJECT, process.execPath]);
};

test('the commands of docs/pacemaker.md lead from nothing to two nodes with fencing', async () => {
  const steps = stepsOf(await readFile(join(PROJECT, 'docs/pacemaker.md'), 'utf8'));
  expect(steps.map(({ where }) => where)).toEqual(['each', 'file', 'one', 'each', 'one', 'one', 'one']);
  const lab = await createLab({ cluster: { snat: true, manager: 'pacemaker' } });
  const power = await PowerSwitch.create(lab, 'fence_ipmilan');
  await Promise.all(lab.nodes.map((node) => prepare(node, join(lab.run.path, node.name), power)));
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  let printed = '';
  for (const { where, text } of steps) {
    if (where === 'file') {
      await Promise.all(
        lab.nodes.map((node) => node.writeConfiguration('/etc/corosync/corosync.conf', text)),
      );
    } else if (where === 'each') {
      await Promise.all(lab.nodes.map((node) => node.run(['bash', '-e'], { input: text })));
    } else {
      printed = await fw1.run(['bash', '-eo', 'pipefail'], { input: text, boundMs: 120_000 });
    }
    if (text.includes('corosync-keygen')) {
      const key = await fw1.run(['base64', '/etc/corosync/authkey']);
      await fw2.run(['sh', '-c', 'umask 0377; base64 -d >/etc/corosync/authkey'], { input: key });
    }
    if (text.includes('restart corosync')) {
      await untilOnline(fw1, ['fw1', 'fw2']);
    }
    if (text.includes('render pacemaker')) {
      await untilShares(lab, HOMES, 40_000);
    }
  }
  expect(printed).toMatch(/fw1_fw2[\s\S]*?Promoted: \[ fw1 \][\s\S]*?fw2_fw1[\s\S]*?Promoted: \[ fw2 \]/);
  const traffic = await Traffic.start(lab);
  traffic.add(lab.clients.flatMap(({ plan }) => flowsOfBothHomes(plan)));
  await traffic.ready();
  await cutClusterLinks(fw1);
  await power.obey('fw1', 30_000);
  await untilShares(lab, { fw1: 'off', fw2: 'all' });
  await untilAnswered(traffic);
  const verdicts = await traffic.stop();
  expect(verdicts.filter(({ lost }) => lost).map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
}, 300_000);
