import type { Server } from 'node:net';
import { type Group, groupsOf } from '../cluster/groups.ts';
import type { Snapshot } from '../cluster/snapshot.ts';
import { isOlder, type WordOrder } from '../cluster/word-order.ts';
import { groupStatuses, type Status, warningsOf } from '../observe/status.ts';
import { ForgeryError } from '../peers/frames.ts';
import { serveVerification } from '../peers/verification.ts';
import { uptimeTicks } from '../system/process-start.ts';
import type { Verification } from '../transitions/verify.ts';
import { Chronicle } from './chronicle.ts';
import { Conversation } from './conversation.ts';
import type { AgentFiles } from './files.ts';
import { Journal } from './journal.ts';
import { Memory, wantedBy } from './memory.ts';
import type { AgentParts } from './parts.ts';
import { type OwnerPeer, Replicas } from './replicas.ts';
import { type Change, playRound, type Round } from './round.ts';
import { servedFlows } from './served-flows.ts';
import { Upkeep } from './upkeep.ts';

/** Between two statuses to the peers, and between two rounds at most. */
const TICK_MS = 100;
/** Between two beats of the heart that hooks and keepalived look at. */
const BEAT_MS = 500;
/** Between two lines about states that the kernel has refused. */
const REFUSED_MS = 10_000;

/** One node's agent: wakes at every event, sees, decides, acts. */
export class Agent {
  readonly #parts: AgentParts;
  readonly #groups: readonly Group[];
  readonly #memory: Memory;
  readonly #peers: Conversation;
  readonly #replicas: Replicas;
  readonly #upkeep: Upkeep;
  #verification: Server | undefined;
  #owned: ReadonlySet<number> = new Set();
  #managerAlive: boolean;
  #round: Round | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #failure = '';
  readonly #journal: Journal;
  readonly #chronicle: Chronicle;
  readonly #waiters = new Set<() => void>();
  /** When the last word about each group was said. */
  readonly #orders = new Map<string, WordOrder>();
  #lossReasons: readonly string[] = [];
  #refused = { count: 0, saidAt: Number.NEGATIVE_INFINITY };
  #beatAt = Number.NEGATIVE_INFINITY;
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: AgentParts) {
    const { config, node, key } = parts;
    this.#parts = parts;
    this.#groups = groupsOf(config);
    this.#journal = new Journal(this.#groups, parts.files, parts.log, parts.announce);
    this.#chronicle = new Chronicle(node.name, (lines) => this.#keep(lines));
    this.#managerAlive = config.manager === 'none';
    const peers = config.nodes.filter((peer) => peer.name !== node.name).map(({ name }) => name);
    this.#memory = new Memory(node.name, this.#groups, peers, config.timeouts, performance.now());
    this.#peers = new Conversation(config, node, key, parts.log, this.#memory, {
      wake: () => void this.wake(),
      appeared: (peer) => this.#peerAppeared(peer),
      grew: (peer) => this.#upkeep.verifySoon(peer),
      answerWord: parts.answerWord,
      bulkWanted: (peer) => this.#sendBulk(peer),
    });
    this.#replicas = new Replicas(this.#groups, this.#memory, parts.log, () => this.#owned);
    this.#upkeep = new Upkeep(
      parts.edges,
      parts.sorting,
      {
        owns: (bucket) => this.#owned.has(bucket),
        foreign: (bucket) => this.#replicas.isForeign(bucket),
        owners: () => this.#replicas.owners(),
        listOf: (peer, signal) => parts.listOf(peer, signal),
        askBulk: (peer) => parts.askBulk(() => this.#peers.askBulk(peer.name)),
        verified: (peer, result) => this.#verified(peer, result),
        interrupted: () => this.#memory.unsynced(),
        joined: () => parts.noteJoined(),
        reach: parts.reach,
        done: (step) => {
          this.#chronicle.doneForAll(step);
          this.#chronicle.flush();
        },
        note: (level, text) => parts.log[level](text),
      },
      { refresh: parts.refresh, verify: 60_000, verifyBound: config.timeouts.sync },
      parts.fresh,
    );
  }

  /** Opens the channels, recalls the manager's last words, plays the first round. Throws what can't be opened. */
  async start(): Promise<void> {
    const { config, node, key, files, log } = this.#parts;
    await this.#peers.open();
    this.#verification = await serveVerification(
      config,
      node,
      key,
      servedFlows(this.#parts.edges, this.#parts.sorting, (bucket) => this.#owned.has(bucket)),
      (from, error) =>
        log[error instanceof ForgeryError ? 'warn' : 'debug'](
          error instanceof Error ? error.message : `comparison asked for by ${from}: ${String(error)}`,
        ),
    );
    if (this.#parts.fresh) {
      this.#chronicle.begin('rejoin', '', 'the data plane was loaded anew');
    }
    this.#recall(files);
    if (this.#parts.resident) {
      // In this order: a hook that sees the agent must not take it for hung.
      files.beat();
      files.noteAgent();
    }
    this.#upkeep.start();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    await this.wake();
  }

  /** Stops acting. What is owned stays owned: forwarding doesn't depend on the agent. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#parts.resident) {
      this.#parts.files.forgetAgent();
    }
    await this.#upkeep.stop();
    await this.#running;
    this.#peers.close();
    this.#verification?.close();
  }

  /**
   * The manager's or operator's word for a group; kept in a file before anything is done. One that was said before the last
   * that was heard is too late. Returns whether it counts.
   */
  want(
    group: string,
    word: string,
    role: 'owner' | 'replica',
    by: 'keepalived' | 'operator' | 'start',
    { force = false, order = saidNow() }: { readonly force?: boolean; readonly order?: WordOrder } = {},
  ): boolean {
    const last = this.#orders.get(group);
    if (last !== undefined && isOlder(order, last)) {
      return false;
    }
    this.#orders.set(group, order);
    const wanted = wantedBy(by, word, role, performance.now(), force);
    if (by !== 'start') {
      this.#parts.files.keepWanted(group, wanted, order);
    }
    this.#memory.want(group, wanted);
    if (by === 'operator') {
      // A peer that is asked for it must know already by whom.
      this.#peers.tell(this.#see(this.#owned));
    }
    void this.wake();
    return true;
  }

  /** Gives this node's groups away through the manager, or takes them back; kept until the next reboot. */
  drain(drained: boolean): void {
    this.#parts.files.noteDrained(drained);
    this.#memory.drain(drained);
    this.#parts.log.info(drained ? 'drained: not ready for any group' : 'resumed: ready as before');
    void this.wake();
  }

  /**
   * The data interfaces that carry nothing, as the configuration names them, and a sentence about each.
   */
  setLost(interfaces: readonly string[], reasons: readonly string[]): void {
    const before = this.#memory.lost;
    this.#memory.lose(interfaces, performance.now());
    for (const reason of reasons.filter((reason) => !this.#lossReasons.includes(reason))) {
      this.#parts.log.warn(reason);
    }
    this.#lossReasons = reasons;
    for (const name of before.filter((name) => !interfaces.includes(name))) {
      this.#parts.log.info(`${name} carries again`);
    }
    // Peers compare at once.
    this.#peers.tell(this.#see(this.#owned));
    void this.wake();
  }

  /** conntrackd holds the flows of the owned buckets and no others, as far as it can be asked. */
  get adopted(): boolean {
    return this.#upkeep.exact || this.#parts.conntrackdHealth() === 'absent';
  }

  /**
   * A peer that could own what this node owns may soon ask for it: keepalived prefers one with an agent that stays. Before
   * that it compares its states with this node's, which it has just heard again.
   */
  get mayBeAsked(): boolean {
    const { groups = [], peers = [] } = this.#round?.snapshot ?? {};
    return groups.some(
      ({ active }) => active > 0 && peers.some((peer) => peer.reachable && peer.managerAlive),
    );
  }

  /** The last words are carried out, and nobody is waited for. */
  get settled(): boolean {
    const { snapshot, decisions = [] } = this.#round ?? {};
    return (
      snapshot !== undefined &&
      (snapshot.listening >= snapshot.timeouts.peer || snapshot.peers.every(({ reachable }) => reachable)) &&
      decisions.every(({ kind }) => kind === 'stay') &&
      snapshot.groups.every(
        ({ active, wanted }) => wanted === undefined || active > 0 === (wanted.role === 'owner'),
      )
    );
  }

  /** Whether the manager runs on this node. */
  setManagerAlive(alive: boolean): void {
    if (alive !== this.#managerAlive) {
      this.#managerAlive = alive;
      if (alive) {
        this.#parts.log.info('keepalived runs');
      } else {
        this.#parts.log.warn('keepalived is gone: this node keeps what it owns until a peer asks');
      }
      void this.wake();
    }
  }

  /** Events were dropped on the way to conntrackd: what is owned goes into its cache, and to the replicas, again. */
  conntrackdLostEvents(times: number): void {
    this.#parts.log.warn(
      `conntrackd lost events (netlink overrun, ${times} times): adopting all flows again`,
    );
    this.#upkeep.tookOver();
  }

  /** Copies of the peers' flows stand in conntrackd's cache: their end here would end them at their owner. */
  conntrackdLoadedTable(): void {
    this.#parts.log.warn('conntrackd loaded the whole kernel table into its cache: disowning');
    this.#upkeep.gaveUp();
  }

  /** A stale entry stands in the way of a live flow; a comparison finds and removes it. Said every ten seconds at most. */
  conntrackdWasRefused(count: number): void {
    const now = performance.now();
    this.#refused.count += count;
    if (now - this.#refused.saidAt >= REFUSED_MS) {
      this.#parts.log.info(`the kernel refused ${this.#refused.count} states of a peer: comparing`);
      this.#refused = { count: 0, saidAt: now };
    }
    this.#upkeep.verifySoon();
  }

  /** Plays rounds until one has nothing to do. Returns when that is so. */
  wake(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#play().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The last round's snapshot and decisions. */
  get round(): Round | undefined {
    return this.#round;
  }

  /** Resolves at the next round. */
  nextRound(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.add(resolve);
    });
  }

  status(): Status {
    const { config, node } = this.#parts;
    const snapshot = this.#round?.snapshot ?? this.#see(new Set());
    return {
      node: node.name,
      manager: { kind: config.manager, alive: this.#managerAlive },
      drained: snapshot.drained,
      groups: groupStatuses(snapshot, this.#round?.decisions ?? [], (group) => this.#journal.since(group)),
      peers: snapshot.peers.map(({ name, reachable }) => ({ name, reachable })),
      conntrackd: this.#parts.conntrackdHealth(),
      verified: this.#replicas.results,
      warnings: [
        ...warningsOf(snapshot),
        ...this.#lossReasons,
        ...(this.#failure === '' ? [] : [this.#failure]),
        ...(this.#parts.conntrackdHealth() === 'ok'
          ? []
          : [`conntrackd is ${this.#parts.conntrackdHealth()}`]),
      ],
    };
  }

  async #play(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      this.#noticeStandStill();
      try {
        const round = await playRound(
          {
            memory: this.#memory,
            owned: { ...this.#parts.edges.owned, read: () => this.#readOwned() },
            manager: () => ({ kind: this.#parts.config.manager, alive: this.#managerAlive }),
            hold: (action) => this.#upkeep.hold(action),
            chronicle: this.#chronicle,
            reach: this.#parts.reach,
            ask: (group, peer, synced) => this.#peers.ask(group, peer, synced),
            answer: (group, granted, reason) => this.#peers.answer(group, granted, reason),
            changed: (groups, active) => this.#upkeepKnows(groups, active),
            activated: (change) => this.#activated(change),
            deactivated: (change) => this.#deactivated(change),
          },
          performance.now(),
        );
        this.#again ||= round.acted;
        this.#round = round;
        await this.#renewLease();
        this.#journal.publish(round);
        this.#chronicle.flush();
        this.#failure = '';
        this.#beat();
        this.#release();
      } catch (error) {
        this.#complain(error);
      }
    }
  }

  async #readOwned(): Promise<ReadonlySet<number>> {
    this.#owned = await this.#parts.edges.owned.read();
    return this.#owned;
  }

  /** A bucket whose lease has run out is dropped by the kernel: it stays closed until it is activated again. */
  async #renewLease(): Promise<void> {
    const now = performance.now();
    const { lease } = this.#parts;
    const due = this.#renewedAt + (lease > 0 ? lease / 3 : Number.POSITIVE_INFINITY);
    // An earlier agent may have given these another lease.
    if (this.#renewedAt === Number.NEGATIVE_INFINITY || now >= due) {
      await this.#parts.edges.owned.renew([...this.#owned]);
      this.#renewedAt = now;
    }
  }

  #beat(): void {
    const now = performance.now();
    if (this.#parts.resident && now - this.#beatAt >= BEAT_MS) {
      this.#beatAt = now;
      this.#parts.files.beat();
    }
  }

  /** A peer may have taken over what this node owns, and conntrackd may have stood still with it. */
  #noticeStandStill(): void {
    const now = performance.now();
    const milliseconds = this.#parts.standStill.look(now);
    if (milliseconds === 0) {
      return;
    }
    const owned = this.#groups.filter(({ buckets }) => buckets.some((bucket) => this.#owned.has(bucket)));
    this.#memory.stoodStill(
      milliseconds,
      owned.map(({ name }) => name),
      now,
    );
    if (milliseconds >= this.#parts.config.timeouts.peer) {
      const seconds = (milliseconds / 1000).toFixed(1);
      this.#parts.log.warn(`this node stood still for ${seconds} s: comparing its states with the peers'`);
      this.#memory.unsynced();
      this.#upkeep.verifySoon();
    }
  }

  #tick(): void {
    this.#noticeStandStill();
    this.#peers.tell(this.#see(this.#owned));
    void this.wake();
  }

  #recall(files: AgentFiles): void {
    for (const { name } of this.#groups) {
      const wanted = files.readWanted(name, performance.now());
      if (wanted !== undefined) {
        this.#memory.want(name, wanted);
        this.#orders.set(name, wanted.order);
      }
    }
    this.#memory.drain(files.isDrained);
  }

  #see(owned: ReadonlySet<number>): Snapshot {
    const manager = { kind: this.#parts.config.manager, alive: this.#managerAlive };
    return this.#memory.snapshot(owned, manager, performance.now());
  }

  #activated(change: Change): void {
    this.#upkeep.tookOver();
    this.#peers.tell(this.#see(this.#owned));
    this.#journal.tookOver(change, this.#parts.flowCount());
    const peers = this.#memory.peers(performance.now());
    for (const { group } of change.decisions) {
      for (const { name } of peers.filter((peer) => peer.owns.has(group))) {
        this.#peers.claim(group, name);
      }
    }
  }

  #deactivated(change: Change): void {
    this.#upkeep.gaveUp();
    this.#upkeep.verifySoon();
    this.#journal.released(change);
    const { config, files } = this.#parts;
    // The newest operator's word counts, wherever it was said.
    for (const { group, kind } of change.decisions) {
      if (config.manager === 'none' || (kind === 'yield' && this.#memory.isOperators(group))) {
        this.#memory.forget(group);
        files.forgetWanted(group);
      }
    }
  }

  /** What the batches look up changes with the kernel, not with the next round's reading. */
  #upkeepKnows(groups: readonly string[], active: boolean): void {
    const owned = new Set(this.#owned);
    for (const group of groups) {
      for (const bucket of this.#groups.find(({ name }) => name === group)?.buckets ?? []) {
        active ? owned.add(bucket) : owned.delete(bucket);
      }
    }
    this.#owned = owned;
  }

  /** Lets go on who waits for a round. */
  #release(): void {
    for (const resolve of this.#waiters) {
      resolve();
    }
    this.#waiters.clear();
  }

  /** Something may have been lost while it was away; the next comparison tells. */
  #peerAppeared(peer: string): void {
    this.#replicas.distrust(peer);
    this.#parts.log.info(`${peer} answers on the sync link`);
    this.#upkeep.verifySoon(peer);
  }

  #sendBulk(to: string): void {
    this.#upkeep.bulk().then(
      (sent) =>
        this.#parts.log.debug(
          sent ? `sent all states to ${to}` : `${to} wants all states; not now, the cache isn't exact`,
        ),
      (error: unknown) => this.#complain(error),
    );
  }

  #verified(peer: OwnerPeer, result: Verification): void {
    if (!this.#replicas.note(peer, result)) {
      this.#upkeep.verifySoon(peer.name);
    }
    void this.wake();
  }

  #keep(lines: string): void {
    try {
      this.#parts.events.append(lines);
    } catch (error) {
      this.#complain(error);
    }
  }

  /** Once for each new reason. */
  #complain(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (text !== this.#failure) {
      this.#failure = text;
      this.#parts.log.error(text);
    }
  }
}

/** A word that comes without a process of its own counts as newer than those of all processes that have started. */
const saidNow = (): WordOrder => ({ ticks: uptimeTicks(), pid: Number.MAX_SAFE_INTEGER });
