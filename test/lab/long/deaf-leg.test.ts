import { expect, test } from 'vitest';
import { statusOf } from '../command-output.ts';
import { patientFlows } from '../flows.ts';
import { createLab } from '../labs.ts';
import { untilNoWarning } from '../no-warning.ts';
import type { ClusterOptions } from '../rig/cluster-config.ts';
import { SHARED_MAC } from '../rig/plan.ts';
import { until } from '../rig/wait.ts';
import { Story } from '../story.ts';

const WAYS: readonly (readonly [string, Partial<ClusterOptions>])[] = [
  ['delivery stealth with a prefilter', { delivery: 'stealth', more: ['prefilter: true'] }],
  ['delivery igmp', { delivery: 'igmp' }],
  ['xtables', { firewall: 'xtables', replicas: 'cache' }],
];

test.each(WAYS)(
  '%s: the peer of a deaf node takes over, and it comes back',
  async (_, options) => {
    const delivery = options.delivery ?? 'multicast';
    const lab = await createLab({
      ip6: options.firewall !== 'xtables',
      clients: 1,
      snooping: delivery === 'igmp',
      cluster: { snat: true, manager: 'keepalived', ...options },
    });
    const { plan } = lab.client('c1');
    const flows = patientFlows(plan).filter(({ to }) => options.firewall !== 'xtables' || to === undefined);
    const story = await Story.begin(lab, 'keepalived', flows);
    const fw1 = lab.node('fw1');
    await until(
      'every leg to be heard',
      () => Promise.all(lab.nodes.map(async (node) => (await statusOf(node)).legs)),
      10_000,
      (all) => all.flat().every(({ hearing }) => hearing === 'heard'),
    );
    const mac = delivery === 'stealth' ? SHARED_MAC.inside.replace('01', '02') : SHARED_MAC.inside;
    const from = Date.now();
    const give = await lab.wire('inside').withhold(['fw1'], `ether daddr ${mac}`);
    await story.changes({ fw1: 'none', fw2: 'all' }, from);
    console.log(`deaf: the peer has all after ${Date.now() - from} ms`);
    expect(Date.now() - from).toBeLessThan(3500);
    await story.answered();
    expect((await statusOf(fw1)).warnings.map(({ code, object }) => `${code} ${object}`)).toEqual([
      'leg-deaf eth1',
    ]);
    await give();
    await story.homeAgain();
    await untilNoWarning(lab.nodes);
    await story.steady();
    await story.expectAllWell();
  },
  60_000,
);
