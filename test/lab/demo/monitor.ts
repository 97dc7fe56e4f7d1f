import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab, NodeCounters } from '../rig/lab.ts';
import type { Traffic } from '../traffic/traffic.ts';
import type { Display } from './display.ts';
import type { GroupView, Happening, Model, NodeView } from './model.ts';

/** A group as the cluster defines it. */
export interface GroupPlan {
  readonly name: string;
  readonly buckets: readonly number[];
}

export interface MonitorOptions {
  readonly title: string;
  readonly lab: Lab;
  readonly traffic: Traffic;
  readonly groups: readonly GroupPlan[];
  readonly display: Display;
}

/** Milliseconds between two looks. */
const INTERVAL = 250;

/** Looks at kernels, switches and sockets several times a second, shows what it sees, and writes the timeline. */
export class Monitor {
  readonly #options: MonitorOptions;
  readonly #start = performance.now();
  readonly #events: Happening[] = [];
  readonly #lost = new Set<string>();
  #owners = new Map<string, string>();
  #counters: { at: number; nodes: Map<string, NodeCounters> } | undefined;
  #model: Model | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Puts a line into the timeline. */
  note(text: string, tone: Happening['tone'] = 'plain'): void {
    this.#events.push({ at: performance.now() - this.#start, text, tone });
  }

  /** What was seen last; undefined before the first look. */
  get model(): Model | undefined {
    return this.#model;
  }

  /** The only owner of all buckets of a group when last looked; undefined if there is none or more than one. */
  owner(group: string): string | undefined {
    const view = this.#model?.groups.find(({ name }) => name === group);
    const [only] = view?.owners ?? [];
    return view?.owners.length === 1 && only?.buckets === view.buckets ? only.node : undefined;
  }

  /** Ends the looking, after a last look, and the display. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await this.#look();
    this.#options.display.end();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const next = performance.now() + INTERVAL;
      await this.#look();
      await sleep(Math.max(0, next - performance.now()));
    }
  }

  async #look(): Promise<void> {
    const { title, lab, traffic, display } = this.#options;
    const owned = new Map(
      await Promise.all(lab.nodes.map(async (node) => [node.name, await node.ownedBuckets()] as const)),
    );
    const groups = this.#options.groups.map((group) => viewGroup(group, owned));
    this.#noteOwners(groups);
    const flows = traffic.snapshot();
    for (const { id, reason } of flows.filter((flow) => flow.lost && !this.#lost.has(flow.id))) {
      this.#lost.add(id);
      this.note(`${id} is lost: ${reason}`, 'bad');
    }
    const rates = await this.#rates();
    this.#model = {
      title,
      elapsed: performance.now() - this.#start,
      nodes: lab.nodes.map(({ name, on }) => viewNode(name, on, owned.get(name), rates.get(name))),
      groups,
      flows,
      events: [...this.#events],
    };
    display.show(this.#model);
  }

  #noteOwners(groups: readonly GroupView[]): void {
    for (const { name, buckets, owners } of groups) {
      const whole = owners.length === 1 && owners[0]?.buckets === buckets;
      const who = owners.map(({ node }) => node).join(' and ') || 'nobody';
      const text = whole || owners.length !== 1 ? who : `${who}, in part`;
      if ((this.#owners.get(name) ?? 'nobody') !== text) {
        this.#owners.set(name, text);
        this.note(`${name} is owned by ${text}`, whole ? 'good' : 'bad');
      }
    }
  }

  /** Packets per second from and to each node since the last look. */
  async #rates(): Promise<Map<string, { sends: number; gets: number }>> {
    const nodes = await this.#options.lab.counters();
    const at = performance.now();
    const before = this.#counters;
    this.#counters = { at, nodes };
    const rates = new Map<string, { sends: number; gets: number }>();
    for (const [name, now] of nodes) {
      const then = before?.nodes.get(name);
      const seconds = (at - (before?.at ?? at)) / 1000;
      if (then !== undefined && seconds > 0) {
        // A node that was off in between counts from zero again.
        const sends = Math.max(0, packets(now, 'from') - packets(then, 'from')) / seconds;
        const gets = Math.max(0, packets(now, 'to') - packets(then, 'to')) / seconds;
        rates.set(name, { sends, gets });
      }
    }
    return rates;
  }
}

const packets = ({ inside, outside }: NodeCounters, way: 'from' | 'to'): number =>
  inside[way].packets + outside[way].packets;

const viewGroup = (
  { name, buckets }: GroupPlan,
  owned: ReadonlyMap<string, readonly number[] | undefined>,
): GroupView => ({
  name,
  buckets: buckets.length,
  owners: [...owned]
    .map(([node, all]) => ({ node, buckets: buckets.filter((bucket) => all?.includes(bucket)).length }))
    .filter((owner) => owner.buckets > 0),
});

const viewNode = (
  name: string,
  on: boolean,
  owned: readonly number[] | undefined,
  rate: { sends: number; gets: number } | undefined,
): NodeView => ({ name, on, owned: owned?.length, sends: rate?.sends ?? 0, gets: rate?.gets ?? 0 });
