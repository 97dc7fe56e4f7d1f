import { decide } from '../../../src/cluster/decide.ts';
import { type Group, groupsOf } from '../../../src/cluster/groups.ts';
import type { ClusterConfig } from '../../../src/config/types.ts';
import { clusterConfig } from '../../support/cluster-config.ts';
import { Clock } from './clock.ts';
import { Machine } from './machine.ts';
import { FAIR, Path } from './network.ts';
import { Process } from './process.ts';
import { Watch } from './watch.ts';

/** The shortest that is allowed. */
const LEASE_MS = 5000;

/** Who says what each node shall own: keepalived as modelled, words out of nowhere, or the operator. */
export type Words = 'vrrp' | 'any' | 'operator';

export interface WorldOptions {
  readonly nodes: number;
  readonly words: Words;
  readonly seed: number;
  readonly decide?: typeof decide;
}

/** A cluster of real agents' cores with everything around them simulated. */
export class World {
  readonly clock: Clock;
  readonly config: ClusterConfig;
  readonly groups: readonly Group[];
  readonly machines: ReadonlyMap<string, Machine>;
  /** Carries VRRP. */
  readonly switch: Path;
  /** Carries the agents' messages and the states. */
  readonly sync: Path;
  readonly watch: Watch;
  readonly words: Words;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: WorldOptions) {
    const { nodes, words, seed } = options;
    this.words = words;
    this.clock = new Clock(seed);
    const config = clusterConfig({
      buckets: 2 * nodes * (nodes - 1),
      manager: words === 'operator' ? 'none' : 'keepalived',
      nodes: Array.from({ length: nodes }, (_, index) => ({
        name: `fw${index + 1}`,
        id: index + 1,
        sync: `10.99.0.${index + 1}`,
        devices: {},
      })),
    });
    this.config = { ...config, timeouts: { ...config.timeouts, lease: LEASE_MS } };
    this.groups = groupsOf(this.config);
    this.switch = new Path(this.clock);
    this.sync = new Path(this.clock);
    const machines = new Map<string, Machine>();
    this.machines = machines;
    this.watch = new Watch(this.clock, this.groups, machines, () => this.#isDisturbed());
    const judge = options.decide ?? decide;
    for (const node of this.config.nodes) {
      const machine = new Machine(node, {
        clock: this.clock,
        config: this.config,
        groups: this.groups,
        decide: (snapshot) => {
          const decisions = judge(snapshot);
          this.watch.decided(node.name, { snapshot, decisions });
          return decisions;
        },
        vrrp: words === 'vrrp',
        switch: this.switch,
        sync: this.sync,
        watch: this.watch,
        machine: (name) => this.machine(name),
        failed: (error) => {
          this.#failure ??= { error };
        },
      });
      machines.set(node.name, machine);
    }
  }

  machine(name: string): Machine {
    const found = this.machines.get(name);
    if (found === undefined) {
      throw new RangeError(`${name} is no node here`);
    }
    return found;
  }

  /** Cuts or heals one direction of a path. What conntrackd sent is lost if it lasts longer than a peer is waited for. */
  sever(path: 'switch' | 'sync', how: 'cut' | 'heal', from: string, to: string): void {
    this[path][how](from, to);
    if (path === 'sync' && how === 'cut') {
      const missing = (): void => {
        if (!this.sync.carries(from, to)) {
          this.watch.parted(from, to);
        }
      };
      this.clock.after(this.config.timeouts.peer + 200, missing);
    }
  }

  /** Lets time pass. Rejects with a BrokenPromise, or with what an agent threw. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.clock.now + milliseconds;
    while (this.clock.now < end) {
      await this.clock.pass(Math.min(end - this.clock.now, 50));
      if (this.#failure !== undefined) {
        throw this.#failure.error;
      }
    }
  }

  /** A loss or a cut on the sync link, or an agent that doesn't act: who owns what can't be known. VRRP doesn't matter. */
  #isDisturbed(): boolean {
    return (
      this.sync.weather !== FAIR ||
      !this.sync.whole ||
      [...this.machines.values()].some(
        ({ powered, starting, agent }) =>
          powered && !starting && (agent === undefined || agent.process.paused),
      )
    );
  }
}

/** Runs `story` with the clock of the process replaced by the world's: the agents' code reads it. */
export const inVirtualTime = async (world: World, story: () => Promise<void>): Promise<void> => {
  const real = globalThis.setTimeout;
  const now = Object.getOwnPropertyDescriptor(performance, 'now');
  const timer = (action: () => void, milliseconds = 0): { unref: () => void } => {
    Process.current?.timer(milliseconds, action);
    return { unref: () => {} };
  };
  Object.defineProperty(globalThis, 'setTimeout', { value: timer, configurable: true, writable: true });
  Object.defineProperty(performance, 'now', {
    value: () => world.clock.now,
    configurable: true,
    writable: true,
  });
  try {
    await story();
  } finally {
    Object.defineProperty(globalThis, 'setTimeout', { value: real, configurable: true, writable: true });
    if (now === undefined) {
      Reflect.deleteProperty(performance, 'now');
    } else {
      Object.defineProperty(performance, 'now', now);
    }
  }
};
