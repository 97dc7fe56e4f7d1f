import { expect } from 'vitest';
import { bringUp, isSynced, type Rewrite } from './cluster.ts';
import { flowsOfBothHomes } from './flows.ts';
import { formCluster, plansOf } from './pacemaker.ts';
import type { ClusterOptions } from './rig/cluster-config.ts';
import type { Lab } from './rig/lab.ts';
import { until } from './rig/wait.ts';
import { HOMES, type Shares, untilShares } from './shares.ts';
import { untilAnswered } from './traffic/answered.ts';
import type { FlowSpec } from './traffic/flow.ts';
import { Traffic } from './traffic/traffic.ts';
import { SETTLING, summarize, type Transition } from './verdict/summary.ts';

type NodeName = 'fw1' | 'fw2';
type Manager = ClusterOptions['manager'];

/** Two firewalls at work, flows through both, and what happens to them, step by step. */
export class Story {
  readonly lab: Lab;
  readonly traffic: Traffic;
  readonly #manager: Manager;
  readonly #rewrite: Rewrite | undefined;
  readonly #transitions: Transition[] = [];

  private constructor(lab: Lab, manager: Manager, traffic: Traffic, rewrite: Rewrite | undefined) {
    this.lab = lab;
    this.#manager = manager;
    this.traffic = traffic;
    this.#rewrite = rewrite;
  }

  /** Brings both nodes up, waits until each serves its home, and starts the flows. */
  static async begin(
    lab: Lab,
    manager: Manager,
    flows: readonly FlowSpec[] = lab.clients.flatMap(({ plan }) => flowsOfBothHomes(plan, 4, lab.buckets)),
    rewrite?: Rewrite,
  ): Promise<Story> {
    await Promise.all(lab.nodes.map((node) => bringUp(node, manager, { rewrite, cluster: plansOf(lab) })));
    if (manager === 'pacemaker') {
      await formCluster(lab);
    }
    await untilShares(lab, HOMES);
    const traffic = await Traffic.start(lab);
    traffic.add(flows);
    await traffic.ready();
    const story = new Story(lab, manager, traffic, rewrite);
    await story.steady();
    return story;
  }

  /** Takes the power from a node; the other one serves everything. */
  async powerCut(name: NodeName): Promise<void> {
    const other = otherThan(name);
    const from = Date.now();
    await this.lab.node(name).powerCut();
    if (this.#manager === 'none') {
      await this.lab.node(other).product(['takeover', name]);
    }
    await this.changes(SURVIVOR[other], from);
  }

  /** Boots it again, if it is off: it rejoins and gets its home back as soon as it holds the states. */
  async comeBack(name: NodeName): Promise<void> {
    await bringUp(this.lab.node(name), this.#manager, { rewrite: this.#rewrite, cluster: plansOf(this.lab) });
    if (this.#manager === 'none') {
      await this.handBack(name);
    } else {
      await this.homeAgain();
    }
  }

  /** Waits until the manager has given every node its home. */
  async homeAgain(): Promise<void> {
    await this.changes(HOMES);
  }

  /** Hands its home back to a node by hand, once it holds the states. */
  async handBack(name: NodeName): Promise<void> {
    await this.synced(name);
    const from = Date.now();
    await this.lab.node(name).product(['takeover', name]);
    await this.changes(HOMES, from);
  }

  /** Waits until a node says that it holds all states. */
  async synced(name: string): Promise<void> {
    await until(`${name} to be synced`, () => isSynced(this.lab.node(name)), 20_000);
  }

  /** Waits until the kernels have these shares, and notes it as a transition (its begin, if it isn't given, is seen). */
  async changes(shares: Shares, from?: number): Promise<void> {
    const seen = await untilShares(this.lab, shares);
    this.#transitions.push({ ...seen, from: from ?? seen.from });
  }

  /** What comes twice within doesn't count as steady. */
  note(transition: Transition): void {
    this.#transitions.push(transition);
  }

  /** Waits until the last transition has settled and every flow (but the idle) has been answered again. */
  async steady(): Promise<void> {
    const end = (this.#transitions.at(-1)?.to ?? 0) + SETTLING;
    await until('the transition to settle', () => Date.now() >= end, SETTLING + 1000);
    await this.answered();
  }

  /** Waits until every flow (but the idle) has been answered again, and again. */
  async answered(): Promise<void> {
    await untilAnswered(this.traffic);
  }

  /** Uses the idle flows, ends all flows, and expects that nothing was lost and, in steady state, nothing came twice. */
  async expectAllWell(): Promise<void> {
    const verdicts = await this.traffic.stop();
    const { lost, twiceSteady } = summarize(verdicts, this.#transitions);
    expect(lost.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
    expect(twiceSteady).toBe(0);
  }
}

const otherThan = (name: NodeName): NodeName => (name === 'fw1' ? 'fw2' : 'fw1');

const SURVIVOR: Readonly<Record<NodeName, Shares>> = {
  fw1: { fw1: 'all', fw2: 'off' },
  fw2: { fw1: 'off', fw2: 'all' },
};
