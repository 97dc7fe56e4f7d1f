import { afterAll, beforeAll, expect, it } from 'vitest';
import { attempt } from './attempt.ts';
import { bringUp } from './cluster.ts';
import { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { SERVER } from './rig/plan.ts';
import { HOMES, untilShares } from './shares.ts';

let lab: Lab;
let fw1: FirewallNode;

beforeAll(async () => {
  lab = await Lab.create({ clients: 1, cluster: { snat: true, manager: 'keepalived' } });
  fw1 = lab.node('fw1');
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'keepalived')));
  await untilShares(lab, HOMES);
});

afterAll(() => lab?.close());

/** In the lab every node has this one. */
const KEY = '0123456789abcdef';

const packets = (text: string, which: 'filtered' | 'foreign'): number =>
  Number(new RegExp(`^ {2}packets ${which} +(\\d+)$`, 'm').exec(text)?.[1]);

it('reports what a node is, does and has counted, and nothing of the key', async () => {
  const before = await fw1.product(['report']);
  const addresses = lab.client('c1').plan.addresses;
  await Promise.all(
    addresses.map((address) =>
      lab.client('c1').machine.run(['ping', '-q', '-c', '3', '-i', '0.2', '-I', address, SERVER]),
    ),
  );
  const text = await fw1.product(['report']);
  expect(text).toMatch(/^conntrack-ha report of fw1, /);
  for (const title of ['Hardware', 'Versions', 'Configuration', 'Figures', 'Loaded rules']) {
    expect(text).toContain(`\n\n${title}\n`);
  }
  expect(text).toMatch(/^ {2}keepalived +\d+\.\d+/m);
  expect(text).toMatch(/^ {4}fw1: manager keepalived, conntrackd ok$/m);
  expect(text).toMatch(/^ {2}conntrack entries +[1-9]\d* of \d+$/m);
  expect(text).toMatch(/^ {2}conntrack lost +invalid \d+, /m);
  expect(text).toMatch(/^ {4}table inet conntrack_ha \{$/m);
  for (const which of ['filtered', 'foreign'] as const) {
    expect(packets(text, which)).toBeGreaterThan(packets(before, which));
  }
  expect(text).not.toContain(KEY);
});

it('reports what it can without root, and says what it could not read', async () => {
  const user = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
  const { status, stdout: text } = await attempt(fw1, ['report'], user);
  expect(status).toBe(0);
  expect(text).toMatch(/^ {2}nft +\d+\.\d+/m);
  expect(text).toMatch(/^ {2}conntrack entries +\d+ of \d+$/m);
  expect(text).toMatch(/^ {2}status +not read: .*\S+agent\.sock.*root/m);
  expect(text).toMatch(/^ {2}table netdev conntrack_ha +not read: .*(permitted|root)/m);
});

it('reports without an agent', async () => {
  await fw1.daemon('agent').kill('SIGKILL');
  const { status, stdout } = await attempt(fw1, ['report']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^ {2}status +not read: no agent runs here /m);
  expect(stdout).toMatch(/^ {4}table netdev conntrack_ha \{$/m);
});
