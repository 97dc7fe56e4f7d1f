import { pino } from 'pino';
import { Chronicle } from '../../../src/agent/chronicle.ts';
import { Conversation } from '../../../src/agent/conversation.ts';
import { Memory, wantedBy } from '../../../src/agent/memory.ts';
import { type OwnerPeer, Replicas } from '../../../src/agent/replicas.ts';
import { type Change, playRound, type Round, type RoundHost } from '../../../src/agent/round.ts';
import { StandStill } from '../../../src/agent/stand-still.ts';
import type { decide } from '../../../src/cluster/decide.ts';
import type { Group } from '../../../src/cluster/groups.ts';
import { readiness } from '../../../src/cluster/readiness.ts';
import type { Snapshot, Wanted } from '../../../src/cluster/snapshot.ts';
import { timeoutsOf } from '../../../src/cluster/timeouts.ts';
import type { ClusterConfig, NodeConfig } from '../../../src/config/types.ts';
import type { Body } from '../../../src/peers/message.ts';
import { ModelLink, type Parcel } from './link.ts';
import type { Process } from './process.ts';

const TICK_MS = 100;
/** Between two comparisons with a peer. */
const VERIFY_MS = 60_000;
/** A round that acted is followed by another; more than this without anything new is a loop. */
const ROUNDS_IN_A_ROW = 12;

/** What an agent finds on its node, and what it does to it. */
export interface AgentHost {
  readonly config: ClusterConfig;
  readonly node: NodeConfig;
  readonly groups: readonly Group[];
  readonly decide: typeof decide;
  readonly session: string;
  readonly owned: () => ReadonlySet<number>;
  /** A kernel transaction; its end may never be seen. */
  readonly change: RoundHost['owned']['change'];
  readonly renew: RoundHost['owned']['renew'];
  /** Milliseconds; 0: for good. */
  readonly lease: number;
  readonly drained: boolean;
  readonly lost: readonly string[];
  readonly keptWords: Map<string, Wanted>;
  readonly announce: (group: string, ready: boolean) => void;
  readonly carry: (to: string, parcel: Parcel) => void;
  /** Whether the peer can be asked for its flows now. */
  readonly comparable: (peer: string) => boolean;
  readonly verified: (peer: OwnerPeer) => void;
  readonly gaveTo: (group: string, heir: string | undefined) => void;
  readonly played: (round: Round) => void;
}

/** What `Agent` does around the real memory, rounds, conversation and replicas, without its channels and its upkeep. */
export class AgentProcess {
  readonly process: Process;
  readonly memory: Memory;
  readonly replicas: Replicas;
  round: Round | undefined;
  readonly #host: AgentHost;
  readonly #conversation: Conversation;
  readonly #chronicle: Chronicle;
  readonly #standStill: StandStill;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #link: ModelLink | undefined;
  #managerAlive: boolean;
  #owned: ReadonlySet<number> = new Set();
  #again = false;
  #running = false;
  /** Counts what ends a comparison. */
  #interruptions = 0;
  #comparing = false;
  readonly #verifiedAt = new Map<string, number>();

  constructor(host: AgentHost, process: Process) {
    const { config, node, groups } = host;
    this.#host = host;
    this.process = process;
    this.#managerAlive = config.manager === 'none';
    const peers = config.nodes.filter(({ name }) => name !== node.name).map(({ name }) => name);
    const { now } = process.clock;
    this.memory = new Memory(node.name, groups, peers, timeoutsOf(config), now, 2 * VERIFY_MS);
    this.#chronicle = new Chronicle(node.name, () => {});
    this.#standStill = new StandStill(process.clock.now);
    const log = SILENT;
    this.replicas = new Replicas(groups, this.memory, log, () => this.#owned);
    this.#conversation = new Conversation(
      config,
      node,
      Buffer.alloc(0),
      log,
      this.memory,
      {
        identity: () => undefined,
        arrived: () => undefined,
        arrivedAt: () => {},
        identified: () => {},
        claimed: () => {},
        wake: () => this.wake(),
        // In the model every clock goes on.
        clock: () => {},
        legs: () => undefined,
        legsTold: () => {},
        table: () => undefined,
        tableOf: () => {},
        appeared: (peer) => {
          this.replicas.distrust(peer);
          this.#verifySoon(peer);
        },
        missedUs: () => this.#conversation.tell(this.snapshot()),
        grew: (peer) => this.#verifySoon(peer),
        answerWord: (send) => send(),
        unfit: () => false,
        bulkWanted: () => {},
      },
      (events) => {
        this.#link = new ModelLink(node.name, host.session, events, host.carry);
        return this.#link;
      },
    );
  }

  start(): void {
    const { now } = this.process.clock;
    for (const [group, wanted] of this.#host.keptWords) {
      this.memory.want(group, { ...wanted, since: now, force: false });
    }
    this.memory.drain(this.#host.drained);
    this.setLost(this.#host.lost);
    this.process.interval(TICK_MS, () => {
      this.#noticeStandStill();
      this.replicas.look(this.process.clock.now);
      this.#conversation.tell(this.snapshot());
      this.#compare();
      this.wake();
    });
    this.wake();
  }

  forge(from: string, body: Body): void {
    this.process.run(() => this.#link?.forge(from, body));
  }

  receive(parcel: Parcel): void {
    this.#link?.receive(parcel);
  }

  want(group: string, word: string, role: Wanted['role'], by: Wanted['by'], force = false): void {
    const wanted = wantedBy(by, word, role, this.process.clock.now, force);
    if (by !== 'start') {
      this.#host.keptWords.set(group, wanted);
    }
    this.memory.want(group, wanted);
    this.wake();
  }

  setManagerAlive(alive: boolean): void {
    if (alive !== this.#managerAlive) {
      this.#managerAlive = alive;
      if (!alive) {
        for (const [group, wanted] of this.memory.managerGone(this.process.clock.now)) {
          this.#host.keptWords.set(group, wanted);
        }
      }
      this.wake();
    }
  }

  drain(drained: boolean): void {
    this.memory.drain(drained);
    this.wake();
  }

  setLost(interfaces: readonly string[]): void {
    this.memory.lose(interfaces, this.process.clock.now);
    this.#conversation.tell(this.snapshot());
    this.wake();
  }

  /** conntrackd was started anew. */
  interrupt(): void {
    this.memory.unsynced();
    this.#verifiedAt.clear();
    this.#interruptions += 1;
  }

  snapshot(): Snapshot {
    const manager = { kind: this.#host.config.manager, alive: this.#managerAlive };
    return this.memory.snapshot(this.#owned, manager, this.process.clock.now);
  }

  wake(): void {
    this.#again = true;
    if (!this.#running) {
      this.#running = true;
      void this.process.follow(() => this.#play());
    }
  }

  async #play(): Promise<void> {
    let rounds = 0;
    while (this.#again) {
      this.#again = false;
      this.#noticeStandStill();
      const round = await playRound(this.#roundHost(), this.process.clock.now, this.#host.decide);
      this.#again ||= round.acted;
      this.round = round;
      await this.#renewLease();
      for (const { group, ready } of readiness(round.snapshot)) {
        this.#host.announce(group, ready);
      }
      this.#host.played(round);
      rounds += 1;
      if (rounds > ROUNDS_IN_A_ROW) {
        const last = round.decisions.map(({ group, kind, reason }) => `${group}: ${kind}: ${reason}`);
        throw new Error(`${this.#host.node.name} acts without end: ${last.join('; ')}`);
      }
    }
    this.#running = false;
  }

  async #renewLease(): Promise<void> {
    const { now } = this.process.clock;
    const { lease } = this.#host;
    const due = this.#renewedAt + (lease > 0 ? lease / 3 : Number.POSITIVE_INFINITY);
    if (this.#renewedAt === Number.NEGATIVE_INFINITY || now >= due) {
      await this.#host.renew([...this.#owned]);
      this.#renewedAt = now;
    }
  }

  #noticeStandStill(): void {
    const { now } = this.process.clock;
    const milliseconds = this.#standStill.look(now);
    if (milliseconds === 0) {
      return;
    }
    const owned = this.#host.groups.filter(({ buckets }) =>
      buckets.some((bucket) => this.#owned.has(bucket)),
    );
    this.memory.stoodStill(
      milliseconds,
      owned.map(({ name }) => name),
      now,
    );
    this.#conversation.tell(this.snapshot());
    if (milliseconds >= this.#host.config.timeouts.peer) {
      this.memory.unsynced();
      this.#verifySoon();
    }
  }

  #roundHost(): RoundHost {
    const speak = <T>(action: () => T): T => this.process.run(action);
    return {
      memory: this.memory,
      owned: {
        read: async () => {
          const before = this.#owned;
          this.#owned = this.#host.owned();
          if ([...before].some((bucket) => !this.#owned.has(bucket))) {
            this.#verifySoon();
          }
          this.#noticeStandStill();
          return this.#owned;
        },
        change: this.#host.change,
        renew: this.#host.renew,
      },
      chronicle: this.#chronicle,
      reach: () => {},
      due: (decisions) => ({ decisions }),
      manager: () => ({ kind: this.#host.config.manager, alive: this.#managerAlive }),
      hold: async (action) => {
        this.#interruptions += 1;
        await this.process.call(this.process.clock.between(0.1, 3));
        return action();
      },
      ask: (group, peer, synced) => speak(() => this.#conversation.ask(group, peer, synced)),
      answer: (group, granted, reason) => speak(() => this.#conversation.answer(group, granted, reason)),
      changed: (groups, active) => this.#knows(groups, active),
      activated: (change) => speak(() => this.#activated(change)),
      deactivated: (change) => speak(() => this.#deactivated(change)),
    };
  }

  #activated(change: Change): void {
    this.#conversation.tell(this.snapshot());
    const peers = this.memory.peers(this.process.clock.now);
    for (const { group } of change.decisions) {
      for (const { name } of peers.filter((peer) => peer.owns.has(group))) {
        this.#conversation.claim(group, name);
      }
    }
  }

  #deactivated(change: Change): void {
    this.#verifySoon();
    for (const { group, peer } of change.decisions) {
      this.#host.gaveTo(group, peer);
      if (this.#host.config.manager === 'none') {
        this.memory.forget(group);
        this.#host.keptWords.delete(group);
      }
    }
  }

  #knows(groups: readonly string[], active: boolean): void {
    const owned = new Set(this.#owned);
    for (const group of groups) {
      for (const bucket of this.#host.groups.find(({ name }) => name === group)?.buckets ?? []) {
        active ? owned.add(bucket) : owned.delete(bucket);
      }
    }
    this.#owned = owned;
  }

  #verifySoon(peer?: string): void {
    peer === undefined ? this.#verifiedAt.clear() : this.#verifiedAt.delete(peer);
  }

  /** Stands for the upkeep: a comparison takes a while, and whatever else happens ends it without a result. */
  #compare(): void {
    const { clock } = this.process;
    const due = this.replicas
      .owners()
      .find(({ name }) => clock.now - (this.#verifiedAt.get(name) ?? Number.NEGATIVE_INFINITY) >= VERIFY_MS);
    if (due === undefined || this.#comparing || !this.#host.comparable(due.name)) {
      return;
    }
    this.#comparing = true;
    const interruptions = this.#interruptions;
    this.#verifiedAt.set(due.name, clock.now);
    this.process.timer(clock.between(20, 300), () => {
      this.#comparing = false;
      if (interruptions !== this.#interruptions || !this.#host.comparable(due.name)) {
        this.#verifiedAt.delete(due.name);
        return;
      }
      this.#host.verified(due);
      this.replicas.note(due, { synced: true, flows: 1, missing: 0, removed: 0, rounds: 1 });
      this.wake();
    });
  }
}

const SILENT = pino({ level: 'silent' });
