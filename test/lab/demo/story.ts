import { setTimeout as delay } from 'node:timers/promises';
import { type Break, bringUp, untilActive } from '../cluster.ts';
import { flowsOfBothHomes } from '../flows.ts';
import { Lab } from '../rig/lab.ts';
import type { FirewallNode } from '../rig/node.ts';
import type { ClientPlan } from '../rig/plan.ts';
import { WaitError } from '../rig/wait.ts';
import type { FlowSpec } from '../traffic/flow.ts';
import { Traffic } from '../traffic/traffic.ts';
import type { FlowVerdict } from '../verdict/ledger.ts';
import type { Display } from './display.ts';
import { Monitor } from './monitor.ts';
import type { NamedTransition } from './verdict-table.ts';

const BUCKETS = 64;
/** Between two events, in milliseconds: long enough for a steady state to show. */
const CALM = 3000;
/** A transition that takes longer doesn't finish. */
const BOUND = 9_000;

export interface StoryTransition extends NamedTransition {
  readonly finished: boolean;
}

export interface StoryOutcome {
  readonly verdicts: readonly FlowVerdict[];
  readonly transitions: readonly StoryTransition[];
  readonly logs: string;
}

/**
 * Two firewalls share the load; each in turn loses power, its peer takes over, it returns and gets its groups back.
 * keepalived drives. With `broken`, one mechanism is missing from the agents.
 */
export const playStory = async (display: Display, broken?: Break): Promise<StoryOutcome> => {
  await using lab = await Lab.create({ cluster: { snat: true, manager: 'keepalived', buckets: BUCKETS } });
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  await Promise.all([bringUp(fw1, 'keepalived', { broken }), bringUp(fw2, 'keepalived', { broken })]);
  await untilActive(lab, { fw1: BUCKETS / 2, fw2: BUCKETS / 2 });
  const traffic = await Traffic.start(lab);
  const monitor = new Monitor({ title: titleOf(broken), lab, traffic, groups: GROUPS, display });
  const transitions: StoryTransition[] = [];
  const transition = async (name: string, act: () => Promise<void>, owned: Record<string, number>) => {
    monitor.note(name);
    const from = Date.now();
    await act();
    const finished = await happens(() => untilActive(lab, owned, BOUND));
    transitions.push({ name, from, to: Date.now(), finished });
    monitor.note(
      finished ? `${name}: done` : `${name}: not finished in ${BOUND / 1000} s`,
      finished ? 'good' : 'bad',
    );
    await delay(CALM);
  };
  monitor.start();
  try {
    traffic.add(lab.clients.flatMap(({ plan }) => demoFlows(plan)));
    await happens(() => traffic.ready());
    await delay(CALM);
    for (const [down, up] of pairs(fw1, fw2)) {
      if (broken !== undefined && traffic.snapshot().some(({ lost }) => lost)) {
        break; // shown
      }
      await transition(`${down.name} loses power, ${up.name} takes over`, () => down.powerCut(), {
        [up.name]: BUCKETS,
      });
      await transition(
        `${down.name} returns and gets its group back`,
        () => bringUp(down, 'keepalived', { broken }),
        {
          [down.name]: BUCKETS / 2,
          [up.name]: BUCKETS / 2,
        },
      );
    }
    monitor.note('the idle connections are used again');
    return { verdicts: await traffic.stop(), transitions, logs: await lab.logs() };
  } finally {
    await monitor.stop();
  }
};

/** One flow of each kind through each firewall, but one bulk transfer a client. */
const demoFlows = (plan: ClientPlan): FlowSpec[] =>
  flowsOfBothHomes(plan).filter(({ kind, id }) => kind !== 'bulk' || id.includes('.fw1.'));

/** As groupsOf gives them for two nodes: buckets go round the homes. */
const GROUPS = [
  { name: 'fw1_fw2', buckets: Array.from({ length: BUCKETS / 2 }, (_, index) => 2 * index) },
  { name: 'fw2_fw1', buckets: Array.from({ length: BUCKETS / 2 }, (_, index) => 2 * index + 1) },
];

const titleOf = (broken: Break | undefined): string =>
  `conntrack-ha: two firewalls, keepalived, SNAT${broken === undefined ? '' : ` - WITHOUT ${broken.toUpperCase()}`}`;

const pairs = (
  one: FirewallNode,
  other: FirewallNode,
): readonly (readonly [FirewallNode, FirewallNode])[] => [
  [one, other],
  [other, one],
];

/** Whether it came about in its bound. */
const happens = async (what: () => Promise<void>): Promise<boolean> => {
  try {
    await what();
    return true;
  } catch (error) {
    if (error instanceof WaitError) {
      return false;
    }
    throw error;
  }
};
