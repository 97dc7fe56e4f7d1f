import * as z from 'zod';
import { askAgent } from '../../src/agent/control.ts';
import { EventsFile } from '../../src/agent/events-file.ts';
import { type EventRecord, readEvents } from '../../src/observe/events.ts';
import { statusSchema } from '../../src/observe/status-schema.ts';
import { bringUp } from '../../test/lab/cluster.ts';
import { formCluster, plansOf, untilAtRest } from '../../test/lab/pacemaker.ts';
import { Lab } from '../../test/lab/rig/lab.ts';
import type { FirewallNode } from '../../test/lab/rig/node.ts';
import { until } from '../../test/lab/rig/wait.ts';
import { HOMES, untilShares } from '../../test/lab/shares.ts';
import { progress } from '../progress.ts';
import { fill, kernelCount } from '../takeover/counts.ts';
import { type Handovers, measureHandovers } from './handovers.ts';

/** The milliseconds of the steps, of each hand-back: what a flow doesn't notice of it, and what it does. */
export interface Steps {
  /** At the new owner: from its word to the old owner to its own kernel's being open. */
  readonly askedToOpen: readonly number[];
  /** At the old owner: until no flow is touched any more; its kernel closes; the answer is sent. */
  readonly hold: readonly number[];
  readonly close: readonly number[];
  readonly answer: readonly number[];
  /** With `replicas: cache`. At the old owner: until its last states have left. At the new one: the commit. */
  readonly send: readonly number[];
  readonly commit: readonly number[];
}

export interface ProductPlan {
  readonly manager: 'keepalived' | 'pacemaker';
  readonly repetitions: number;
  readonly replicas: 'kernel' | 'cache';
  /** Of the group, beside the flow that is looked at. */
  readonly flows: number;
}

export interface ProductResult extends Handovers {
  readonly steps: Steps;
}

const GROUP = 'fw1_fw2';

/** Entries in the kernel of a node that owns nothing but its own connections. */
const FEW = 100;

const outcomes = z.array(z.object({ group: z.string(), outcome: z.string(), reason: z.string() }));

/** With the real manager: `drain` has it take fw1's group to fw2, and `resume` has it bring that back. */
export const measureProduct = async ({
  manager,
  repetitions,
  replicas,
  flows,
}: ProductPlan): Promise<ProductResult> => {
  const what = `conntrack-ha with ${manager}`;
  progress(`${what}: two nodes start`);
  const lab = await Lab.create({ nodes: 2, clients: 1, cluster: { snat: true, manager, replicas } });
  try {
    const [home, backup] = [lab.node('fw1'), lab.node('fw2')];
    await Promise.all(lab.nodes.map((node) => bringUp(node, manager, { cluster: plansOf(lab) })));
    if (manager === 'pacemaker') {
      await formCluster(lab);
    }
    await untilShares(lab, HOMES);
    if (flows > 0) {
      progress(`${what}: ${flows} flows`);
      await fill(home, flows);
    }
    const since = Date.now();
    const handovers = await measureHandovers(lab, what, repetitions, {
      away: () => tell(home, 'drain'),
      back: () => tell(home, 'resume'),
      settle: async (to, changed) => {
        if (replicas === 'cache') {
          await untilWhole(to === 'home' ? home : backup, changed);
        }
        if (manager === 'pacemaker') {
          await untilAtRest(home);
        }
      },
    });
    return { ...handovers, steps: stepsOf(eventsOf(home, since), eventsOf(backup, since)) };
  } finally {
    await lab.close();
  }
};

/** Waits until the node has compared its cache with the other's flows since a moment, found all, and come to rest. */
const untilWhole = async (node: FirewallNode, since: number): Promise<void> => {
  const socket = node.machine.path('/run/conntrack-ha/agent.sock');
  await until(
    `${node.name} to hold all states`,
    async () => {
      const { verified } = statusSchema.parse(await askAgent(socket, { command: 'status' }, 10_000));
      const whole =
        verified.length > 0 && verified.every(({ synced, at }) => synced && Date.parse(at) > since);
      // What it has owned it deletes from its kernel then.
      return whole && (await kernelCount(node)) <= FEW;
    },
    60_000,
  );
};

/** As the command does, but without a process of its own, that would take a processor from what is measured. */
const tell = async (node: FirewallNode, command: 'drain' | 'resume'): Promise<void> => {
  const socket = node.machine.path('/run/conntrack-ha/agent.sock');
  const said = outcomes.parse(await askAgent(socket, { command, force: false }, 10_000));
  for (const { group, outcome, reason } of said) {
    if (outcome !== 'done') {
      throw new Error(`${command} on ${node.name}: ${group}: ${outcome}: ${reason}`);
    }
  }
};

/** Those since a moment: at the start too the group may have gone from the node that was up first to its home. */
const eventsOf = (node: FirewallNode, since: number): readonly EventRecord[] =>
  readEvents(new EventsFile(node.machine.path('/run/conntrack-ha')).read()).filter(
    ({ group, time }) => group === GROUP && Date.parse(time) >= since,
  );

const stepsOf = (home: readonly EventRecord[], backup: readonly EventRecord[]): Steps => {
  const takeovers = home.filter(({ transition }) => transition === 'takeover');
  const releases = backup.filter(({ transition }) => transition === 'release');
  return {
    askedToOpen: between(takeovers, 'ask', 'activate'),
    hold: between(releases, undefined, 'hold'),
    close: between(releases, 'hold', 'deactivate'),
    send: between(releases, 'deactivate', 'send'),
    commit: between(takeovers, 'ask', 'commit'),
    answer: releases.some(({ steps }) => steps.some(({ name }) => name === 'send'))
      ? between(releases, 'send', 'answer')
      : between(releases, 'deactivate', 'answer'),
  };
};

/** `from` undefined: the transition's begin. Those without one of the steps are left out. */
const between = (events: readonly EventRecord[], from: string | undefined, to: string): readonly number[] =>
  events.flatMap(({ steps }) => {
    const at = (name: string) => steps.find((step) => step.name === name)?.ms;
    const [began, ended] = [from === undefined ? 0 : at(from), at(to)];
    return began === undefined || ended === undefined ? [] : [ended - began];
  });
