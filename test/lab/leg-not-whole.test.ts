import { expect, test } from 'vitest';
import { statusOf } from './command-output.ts';
import { patientFlows } from './flows.ts';
import { createLab } from './labs.ts';
import { until } from './rig/wait.ts';
import { readShares } from './shares.ts';
import { Story } from './story.ts';
import { warningTexts } from './warnings.ts';

/** In which nothing may be taken back. */
const STAYS_MS = 3000;

test('an interface whose shared address can’t be put back counts as lost until it can', async () => {
  const lab = await createLab({ ip6: true, clients: 1, cluster: { snat: true, manager: 'keepalived' } });
  const { plan } = lab.client('c1');
  const story = await Story.begin(lab, 'keepalived', patientFlows(plan));
  const fw1 = lab.node('fw1');
  const from = Date.now();
  await fw1.run(['sysctl', '-qw', 'net.ipv6.conf.eth1.disable_ipv6=1']);
  await story.changes({ fw1: 'none', fw2: 'all' }, from);
  console.log(`the peer has all after ${Date.now() - from} ms`);
  await story.answered();
  await until(
    'a warning',
    () => warningTexts(fw1),
    5000,
    (warnings) => warnings.some((text) => text.includes('eth1 has no address fd00:1::5/64')),
  );
  const shares = await readShares(lab);
  const lost = Date.now();
  await until(
    'the time to pass',
    async () => {
      expect(await readShares(lab)).toBe(shares);
      return Date.now() > lost + STAYS_MS;
    },
    STAYS_MS + 2000,
  );
  expect((await statusOf(fw1)).groups.map(({ role }) => role)).toEqual(['replica', 'replica']);
  await fw1.run(['sysctl', '-qw', 'net.ipv6.conf.eth1.disable_ipv6=0']);
  await fw1.machine.ip(fw1.ownAddresses('inside').map((address) => `addr replace ${address}`));
  await story.homeAgain();
  await until(
    'no warning',
    () => warningTexts(fw1),
    10_000,
    (warnings) => warnings.length === 0,
  );
  await story.steady();
  await story.expectAllWell();
}, 60_000);
