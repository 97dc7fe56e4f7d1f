import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { askAgent } from '../../src/agent/control.ts';
import { EventsFile } from '../../src/agent/events-file.ts';
import { type EventRecord, readEvents } from '../../src/observe/events.ts';
import { statusSchema } from '../../src/observe/status-schema.ts';
import { bringUp } from '../../test/lab/cluster.ts';
import { Lab } from '../../test/lab/rig/lab.ts';
import type { FirewallNode } from '../../test/lab/rig/node.ts';
import { until } from '../../test/lab/rig/wait.ts';
import { HOMES, untilShares } from '../../test/lab/shares.ts';
import type { Arrivals } from '../programs/arrivals.ts';
import { progress } from '../progress.ts';
import { Stream } from '../stream.ts';
import { fill, kernelCount } from '../takeover/counts.ts';
import { SetWatch } from './set-watch.ts';

/** What a flow saw of one hand-over, and the kernels. */
export interface Handover extends Arrivals {
  /** From the old owner's kernel closing to the new one's being open, milliseconds. Below 0: both were open. */
  readonly closedMs: number;
}

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
  readonly repetitions: number;
  readonly replicas: 'kernel' | 'cache';
  /** Of the group, beside the flow that is looked at. */
  readonly flows: number;
}

export interface ProductResult {
  /** fw1 gives its group to fw2, as told by `drain`. */
  readonly away: readonly Handover[];
  /** fw1 takes it back, as told by `resume`. */
  readonly back: readonly Handover[];
  /** The same flow for as long, while nothing was handed over: what of it is the machine's. */
  readonly rest: readonly Arrivals[];
  readonly steps: Steps;
}

const GROUP = 'fw1_fw2';
/** One of its buckets. */
const BUCKET = 0;
/** For what is still under way when the agent has answered. */
const AFTER_MS = 100;
/** About what keepalived takes to move a group, for the time of comparison. */
const REST_MS = 600;

/** Entries in the kernel of a node that owns nothing but its own connections. */
const FEW = 100;

const outcomes = z.array(z.object({ group: z.string(), outcome: z.string(), reason: z.string() }));

/** With real keepalived: fw1's group goes to fw2 and comes back. */
export const measureProduct = async ({
  repetitions,
  replicas,
  flows,
}: ProductPlan): Promise<ProductResult> => {
  progress('conntrack-ha: two nodes start');
  const cluster = { snat: true, manager: 'keepalived', replicas } as const;
  const lab = await Lab.create({ nodes: 2, clients: 1, cluster });
  try {
    const [home, backup] = [lab.node('fw1'), lab.node('fw2')];
    await Promise.all(lab.nodes.map((node) => bringUp(node, 'keepalived')));
    await untilShares(lab, HOMES);
    if (flows > 0) {
      progress(`conntrack-ha: ${flows} flows`);
      await fill(home, flows);
    }
    const stream = new Stream(lab);
    const [atHome, atBackup] = await Promise.all([SetWatch.start(home), SetWatch.start(backup)]);
    await stream.flows();
    let changed = 0;
    const handOver = async (command: 'drain' | 'resume', from: SetWatch, to: SetWatch): Promise<Handover> => {
      if (replicas === 'cache') {
        await untilWhole(command === 'drain' ? backup : home, changed);
      }
      await stream.arrivals();
      from.forget();
      to.forget();
      await tell(home, command);
      const opened = await openedAt(to);
      changed = Date.now() - (monotonicMs() - (opened ?? 0));
      await sleep(AFTER_MS);
      const closed = from.wentAt(BUCKET);
      if (closed === undefined || opened === undefined) {
        throw new Error(
          `${command}: the kernels told of no change; were there errors? ${await lab.logs(20)}`,
        );
      }
      return { ...(await stream.arrivals()), closedMs: opened - closed };
    };
    const since = Date.now();
    const [away, back, rest]: [Handover[], Handover[], Arrivals[]] = [[], [], []];
    for (let turn = 1; turn <= repetitions; turn += 1) {
      await stream.arrivals();
      await sleep(REST_MS);
      rest.push(await stream.arrivals());
      away.push(await handOver('drain', atHome, atBackup));
      await sleep(REST_MS);
      back.push(await handOver('resume', atBackup, atHome));
      progress('conntrack-ha: hands back', { done: turn, of: repetitions });
    }
    return { away, back, rest, steps: stepsOf(eventsOf(home, since), eventsOf(backup, since)) };
  } finally {
    await lab.close();
  }
};

/** The clock of what `SetWatch` tells. */
const monotonicMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

/** The old owner has given it up; the new one may have to commit first. */
const openedAt = (watch: SetWatch): Promise<number | undefined> =>
  until(
    'the new owner',
    () => watch.cameAt(BUCKET),
    60_000,
    (at) => at !== undefined,
  );

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
