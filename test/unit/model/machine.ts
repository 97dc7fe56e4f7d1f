import type { decide } from '../../../src/cluster/decide.ts';
import type { Group } from '../../../src/cluster/groups.ts';
import type { Wanted } from '../../../src/cluster/snapshot.ts';
import type { ClusterConfig, NodeConfig } from '../../../src/config/types.ts';
import { type KeepalivedWord, roleOf } from '../../../src/managers/keepalived/line.ts';
import { UNREADY } from '../../../src/managers/keepalived/render.ts';
import { AgentProcess } from './agent-process.ts';
import type { Clock } from './clock.ts';
import { Keepalived } from './keepalived.ts';
import type { Parcel } from './link.ts';
import type { Path } from './network.ts';
import { Process } from './process.ts';
import type { Watch } from './watch.ts';

/** Where in its next kernel transaction an agent is killed. */
export type Step = 'before' | 'after';

/** The cluster around one machine. */
export interface Surroundings {
  readonly clock: Clock;
  readonly config: ClusterConfig;
  readonly groups: readonly Group[];
  readonly decide: typeof decide;
  /** Whether keepalived runs at all; otherwise the manager's words come from the scenario. */
  readonly vrrp: boolean;
  readonly switch: Path;
  readonly sync: Path;
  readonly watch: Watch;
  readonly machine: (name: string) => Machine;
  readonly failed: (error: unknown) => void;
}

/** One node: what its kernel and its files keep, and the processes that come and go. */
export class Machine {
  readonly name: string;
  readonly node: NodeConfig;
  /** Until when each bucket is in the kernel's set. */
  readonly #owned = new Map<number, number>();
  agent: AgentProcess | undefined;
  keepalived: Keepalived | undefined;
  powered = false;
  /** Powered, but its agent has not been started yet. */
  starting = false;
  plugged = true;
  readonly #around: Surroundings;
  readonly #words = new Map<string, Wanted>();
  readonly #ready = new Map<string, number>();
  #fresh = true;
  #drained = false;
  #sessions = 0;
  #boots = 0;
  #killAt: Step | undefined;
  /** keepalived's FIFO: what no agent has read yet, and when a reader comes to what was written last. */
  #fifo: ((agent: AgentProcess) => void)[] = [];
  #fifoReadAt = 0;

  constructor(node: NodeConfig, around: Surroundings) {
    this.name = node.name;
    this.node = node;
    this.#around = around;
  }

  /** The buckets that are in the kernel's set now. */
  get owned(): ReadonlySet<number> {
    const { now } = this.#around.clock;
    return new Set([...this.#owned].filter(([, until]) => now < until).map(([bucket]) => bucket));
  }

  boot(): void {
    if (!this.powered) {
      this.powered = true;
      this.starting = true;
      const { clock } = this.#around;
      const boots = this.#boots;
      for (const start of [() => this.startAgent(), () => this.startKeepalived()]) {
        clock.after(clock.between(1500, 2000), () => boots === this.#boots && start());
      }
    }
  }

  /** The plug is pulled: nothing is left of what wasn't on disk. */
  cutPower(): void {
    this.agent?.process.kill();
    this.agent = undefined;
    this.keepalived?.process.kill();
    this.keepalived = undefined;
    this.powered = false;
    this.#boots += 1;
    this.#owned.clear();
    this.#words.clear();
    this.#ready.clear();
    this.#fifo = [];
    this.#fresh = true;
    this.#drained = false;
    this.#around.watch.lostPower(this.name);
  }

  startAgent(): void {
    if (!this.powered || this.agent !== undefined) {
      return;
    }
    this.starting = false;
    const { clock, config, groups, failed, watch } = this.#around;
    const process = new Process(clock, failed);
    this.#killAt = undefined;
    this.#sessions += 1;
    const agent = new AgentProcess(
      {
        config,
        node: this.node,
        groups,
        decide: this.#around.decide,
        session: `${this.name}.${clock.now}.${this.#sessions}`,
        owned: () => this.owned,
        change: (change) => this.#change(process, change),
        renew: (buckets) => this.#renew(process, buckets),
        lease: this.#lease,
        drained: this.#drained,
        lost: this.plugged ? [] : ['eth1'],
        keptWords: this.#words,
        announce: (group, ready) => this.#ready.set(group, ready ? 0 : UNREADY),
        carry: (to, parcel) => this.#carry(to, parcel),
        comparable: (peer) => this.#comparable(peer),
        verified: (peer) => watch.verified(this.name, peer.groups, peer.name),
        gaveTo: (group, heir) => watch.gaveTo(this.name, group, heir),
        played: (round) => watch.played(this.name, round),
      },
      process,
    );
    this.agent = agent;
    watch.agentStarted(this.name);
    process.run(() => agent.start());
    if (config.manager === 'none' && this.#fresh) {
      for (const { name } of groups.filter(({ home }) => home === this.name)) {
        agent.want(name, 'start', 'owner', 'start');
      }
    }
    this.#fresh = false;
    if (!this.#around.vrrp && config.manager === 'keepalived') {
      agent.setManagerAlive(true);
    }
    if (this.keepalived !== undefined) {
      process.input(0.5, () => agent.setManagerAlive(true));
    }
    for (const _ of this.#fifo) {
      process.input(1, () => this.#fifo.shift()?.(agent));
    }
  }

  killAgent(step?: Step): void {
    if (step !== undefined) {
      this.#killAt = step;
      return;
    }
    if (this.agent !== undefined) {
      this.agent.process.kill();
      this.agent = undefined;
      this.#closeFifo();
      this.#around.watch.disturbed();
    }
  }

  /** No kill is pending any more. */
  disarm(): void {
    this.#killAt = undefined;
  }

  pauseAgent(): void {
    this.agent?.process.pause();
    this.#around.watch.disturbed();
  }

  resumeAgent(): void {
    this.agent?.process.resume();
    this.#around.watch.disturbed();
  }

  startKeepalived(): void {
    if (!this.powered || this.keepalived !== undefined || !this.#around.vrrp) {
      return;
    }
    const { clock, config, groups, failed } = this.#around;
    for (const { name } of groups) {
      this.#ready.set(name, UNREADY); // init_file -100 overwrite
    }
    this.#fifoReadAt = clock.now + clock.between(0, 100); // when the reader finds the new writer
    this.#tell((agent) => agent.setManagerAlive(true));
    this.keepalived = new Keepalived(
      groups,
      new Process(clock, failed),
      {
        node: this.name,
        id: this.node.id,
        ready: (group) => this.#ready.get(group) ?? UNREADY,
        advertise: (group, priority) => this.#advertise(config.nodes, group, priority),
        say: (group, word) => this.#tell((agent) => this.#hear(agent, group, word)),
      },
      this.plugged,
    );
  }

  /** SIGKILL, or in good order. */
  endKeepalived(orderly: boolean): void {
    const { keepalived } = this;
    if (keepalived === undefined) {
      return;
    }
    orderly ? keepalived.stop() : keepalived.process.kill();
    this.keepalived = undefined;
    this.#tell((agent) => agent.setManagerAlive(false));
    this.#closeFifo();
  }

  plug(plugged: boolean): void {
    if (this.plugged !== plugged) {
      this.plugged = plugged;
      this.keepalived?.plugged(plugged);
      const { agent } = this;
      const { clock } = this.#around;
      agent?.process.input(clock.between(1, 100), () => agent.setLost(this.plugged ? [] : ['eth1']));
    }
  }

  /** Hands a word of the scenario's to the agent, as if keepalived said it. */
  word(group: string, word: KeepalivedWord): void {
    this.#tell((agent) => this.#hear(agent, group, word));
  }

  /** The operator's command at this node, refused as `conntrack-ha takeover` and `release` refuse it. */
  order(command: 'takeover' | 'release', group: string, force: boolean): void {
    const { agent } = this;
    const snapshot = agent?.round?.snapshot;
    const view = snapshot?.groups.find(({ name }) => name === group);
    if (agent === undefined || agent.process.paused || snapshot === undefined || view === undefined) {
      return;
    }
    const takes = command === 'takeover';
    const owner = snapshot.peers.find((peer) => peer.reachable && peer.owns.has(group));
    const heir = snapshot.peers.some(
      (peer) => peer.reachable && (peer.owns.has(group) || peer.wants.has(group)),
    );
    const idle = takes ? view.active === view.buckets.length : view.active === 0;
    const refused = takes ? owner !== undefined && !view.synced : !heir;
    if (!idle && (force || (!refused && this.#around.config.manager === 'none'))) {
      agent.process.run(() => agent.want(group, command, takes ? 'owner' : 'replica', 'operator', force));
    }
  }

  drain(drained: boolean): void {
    const { agent } = this;
    if (agent !== undefined) {
      this.#drained = drained;
      agent.process.input(0, () => agent.drain(drained));
    }
  }

  restartConntrackd(): void {
    this.agent?.interrupt();
    this.#around.watch.interrupted(this.name);
  }

  receive(parcel: Parcel): void {
    const { agent } = this;
    agent?.process.input(0, () => agent.receive(parcel));
  }

  #hear(agent: AgentProcess, group: string, word: KeepalivedWord): void {
    this.#around.watch.note(`${this.name} keepalived: ${group} ${word}`);
    agent.want(group, word, roleOf(word), 'keepalived');
  }

  /** In the order of writing, read a little later; kept in the pipe while no agent runs. */
  #tell(read: (agent: AgentProcess) => void): void {
    const { agent } = this;
    const { clock } = this.#around;
    this.#fifo.push(read);
    if (agent === undefined) {
      return;
    }
    this.#fifoReadAt = Math.max(this.#fifoReadAt, clock.now + 0.2);
    agent.process.input(this.#fifoReadAt - clock.now, () => this.#fifo.shift()?.(agent));
  }

  /** What is in a pipe that nobody has open any more is gone. */
  #closeFifo(): void {
    if (this.agent === undefined && this.keepalived === undefined) {
      this.#fifo = [];
    }
  }

  #advertise(nodes: readonly NodeConfig[], group: string, priority: number): void {
    for (const { name } of nodes.filter((node) => node !== this.node)) {
      const peer = this.#around.machine(name);
      if (this.plugged) {
        this.#around.switch.send(this.name, name, () => {
          if (peer.plugged) {
            peer.keepalived?.heard(group, priority, this.node.id);
          }
        });
      }
    }
  }

  #carry(to: string, parcel: Parcel): void {
    if (this.powered) {
      this.#around.sync.send(this.name, to, () => this.#around.machine(to).receive(parcel));
    }
  }

  #comparable(peer: string): boolean {
    const { sync } = this.#around;
    const { agent } = this.#around.machine(peer);
    return (
      agent !== undefined &&
      !agent.process.paused &&
      sync.carries(this.name, peer) &&
      sync.carries(peer, this.name)
    );
  }

  get #lease(): number {
    const { manager, timeouts } = this.#around.config;
    return manager === 'none' ? 0 : timeouts.lease;
  }

  get #leaseEnd(): number {
    return this.#lease === 0 ? Number.POSITIVE_INFINITY : this.#around.clock.now + this.#lease;
  }

  async #renew(process: Process, buckets: readonly number[]): Promise<void> {
    await process.call(this.#around.clock.between(0.05, 1));
    const owned = this.owned;
    for (const bucket of buckets.filter((bucket) => owned.has(bucket))) {
      this.#owned.set(bucket, this.#leaseEnd);
    }
  }

  async #change(
    process: Process,
    change: { readonly add: readonly number[]; readonly remove: readonly number[] },
  ): Promise<void> {
    const { clock, watch } = this.#around;
    if (this.#killAt === 'before') {
      this.#killAt = undefined;
      watch.note(`${this.name} is killed before its transaction`);
      this.killAgent();
      return process.call(Number.POSITIVE_INFINITY);
    }
    await process.call(clock.between(0.05, 1));
    for (const bucket of change.remove) {
      this.#owned.delete(bucket);
    }
    for (const bucket of change.add) {
      this.#owned.set(bucket, this.#leaseEnd);
    }
    watch.changed(this.name, change);
    if (this.#killAt === 'after') {
      this.#killAt = undefined;
      watch.note(`${this.name} is killed after its transaction`);
      this.killAgent();
      return process.call(Number.POSITIVE_INFINITY);
    }
    return process.call(clock.between(0.05, 1));
  }
}
