import { expect, test } from 'vitest';
import { flowsOfBothHomes } from '../flows.ts';
import { createLab } from '../labs.ts';
import type { Lab } from '../rig/lab.ts';
import type { FirewallNode } from '../rig/node.ts';
import { until } from '../rig/wait.ts';
import { withStall } from '../stalls.ts';
import { Story } from '../story.ts';
import type { FlowSpec } from '../traffic/flow.ts';

type Delivery = 'stealth' | 'igmp';

const labWith = (delivery: Delivery): Promise<Lab> =>
  createLab({
    ip6: true,
    clients: 1,
    snooping: delivery === 'igmp',
    cluster: { snat: true, delivery, manager: 'keepalived' },
  });

const flowsOf = (lab: Lab): readonly FlowSpec[] =>
  lab.clients.flatMap(({ plan }) => [...flowsOfBothHomes(plan), ...flowsOfBothHomes(plan, 6)]);

test.each(['stealth', 'igmp'] as const)(
  'delivery %s: fw1 dies and returns, switches restart: no flow is lost',
  async (delivery) => {
    const lab = await labWith(delivery);
    const story = await Story.begin(lab, 'keepalived', flowsOf(lab));
    await withStall(story, `${delivery}, fw1 dies`, () => story.powerCut('fw1'));
    await withStall(story, `${delivery}, fw1 returns`, () => story.comeBack('fw1'));
    for (const side of ['inside', 'outside'] as const) {
      await withStall(story, `${delivery}, the switch ${side} restarts`, () => lab.restartSwitch(side, 1500));
    }
    await story.expectAllWell();
  },
  120_000,
);

/** What each delivery lives by, taken from fw1: no frame has the shared MAC as its source, and it is a member of the group. */
const WITHOUT: Readonly<
  Record<Delivery, { readonly act: (fw1: FirewallNode) => Promise<unknown>; readonly loses: string }>
> = {
  stealth: {
    act: (fw1) => {
      const rules = `table netdev lab_source {
        chain out {
          type filter hook egress device "eth1" priority 10; ether saddr set 02:00:5e:00:01:01
        }
      }`;
      return fw1.run(['nft', '-f', '-'], { input: `${rules}\n` });
    },
    // The switch has learnt that the MAC is fw1's.
    loses: '.fw2.',
  },
  igmp: {
    act: (fw1) => fw1.run(['ip', 'address', 'delete', '239.0.1.1/32', 'dev', 'eth1']),
    loses: '.fw1.',
  },
};

test.each(['stealth', 'igmp'] as const)(
  'without what delivery %s lives by, flows are lost',
  async (delivery) => {
    const lab = await labWith(delivery);
    const flows = flowsOf(lab).filter(({ kind }) => kind === 'busy');
    const story = await Story.begin(lab, 'keepalived', flows);
    const { act, loses } = WITHOUT[delivery];
    await act(lab.node('fw1'));
    const lost = () =>
      story.traffic
        .snapshot()
        .filter((flow) => flow.lost)
        .map(({ id }) => id);
    const expected = flows.map(({ id }) => id).filter((id) => id.includes(loses));
    await until('flows to be lost', lost, 30_000, (ids) => ids.length >= expected.length);
    expect(lost()).toEqual(expected);
  },
);
