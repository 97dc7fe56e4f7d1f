import type { Server } from 'node:net';
import { type Group, groupsOf } from '../cluster/groups.ts';
import { restorable } from '../cluster/restorable.ts';
import type { Snapshot, Wanted } from '../cluster/snapshot.ts';
import { timeoutsOf } from '../cluster/timeouts.ts';
import { isNotLoaded } from '../dataplane/rules.ts';
import type { Status } from '../observe/status.ts';
import { ForgeryError } from '../peers/frames.ts';
import { serveVerification } from '../peers/verification.ts';
import type { Verification } from '../transitions/verify.ts';
import { statusOf } from './agent-status.ts';
import { Chronicle } from './chronicle.ts';
import { Commits } from './commits.ts';
import { ConntrackdNews } from './conntrackd-news.ts';
import { Conversation } from './conversation.ts';
import { Demands } from './demands.ts';
import { Journal } from './journal.ts';
import { LastStates } from './last-states.ts';
import { Lease } from './lease.ts';
import { LostInterfaces } from './lost-interfaces.ts';
import { Memory } from './memory.ts';
import { OwnedBuckets } from './owned-buckets.ts';
import type { AgentParts } from './parts.ts';
import { type OwnerPeer, Replicas } from './replicas.ts';
import { type Change, playRound, type Round, type RoundHost } from './round.ts';
import { RoundLoop } from './round-loop.ts';
import { servedFlows } from './served-flows.ts';
import { TableGuard } from './table-guard.ts';
import { Upkeep } from './upkeep.ts';
import { type WordOptions, Words } from './words.ts';

/** Between two statuses to the peers, and between two rounds at most. */
const TICK_MS = 100;
/** Between two beats of the heart that hooks and keepalived look at. */
const BEAT_MS = 500;

/** One node's agent: wakes at every event, sees, decides, acts. */
export class Agent {
  readonly #parts: AgentParts;
  readonly #groups: readonly Group[];
  readonly #memory: Memory;
  readonly #words: Words;
  readonly #lost: LostInterfaces;
  readonly #lease: Lease;
  readonly #guard: TableGuard;
  readonly #peers: Conversation;
  readonly #replicas: Replicas;
  readonly #upkeep: Upkeep;
  /** With `replicas: cache`. */
  readonly #commits: Commits | undefined;
  /** With `replicas: cache`. */
  readonly #lastStates: LastStates | undefined;
  readonly #demands: Demands;
  /** Told by who watches conntrackd. */
  readonly conntrackd: ConntrackdNews;
  #verification: Server | undefined;
  readonly #owned: OwnedBuckets;
  #managerAlive: boolean;
  #timer: NodeJS.Timeout | undefined;
  #halfTicks = 0;
  readonly #loop: RoundLoop;
  readonly #roundHost: RoundHost;
  readonly #journal: Journal;
  readonly #chronicle: Chronicle;
  #beatAt = Number.NEGATIVE_INFINITY;

  constructor(parts: AgentParts) {
    const { config, node, key } = parts;
    this.#parts = parts;
    this.#groups = groupsOf(config);
    this.#journal = new Journal(this.#groups, parts.files, parts.log, parts.announce);
    this.#chronicle = new Chronicle(node.name, (lines) => this.#keep(lines));
    this.#managerAlive = config.manager === 'none';
    const peers = config.nodes.filter((peer) => peer.name !== node.name).map(({ name }) => name);
    this.#memory = new Memory(node.name, this.#groups, peers, timeoutsOf(config), performance.now());
    // Its lease has run out, or another program took it out: its flows are no longer this node's.
    this.#owned = new OwnedBuckets(this.#groups, parts.edges.owned, () => this.#tablesDoubtful());
    this.#lost = new LostInterfaces(this.#memory, parts.log);
    this.#lease = new Lease(parts.lease);
    this.#guard = new TableGuard(parts.tables, {
      held: () => this.#held(),
      lease: parts.lease,
      chronicle: this.#chronicle,
      reach: parts.reach,
      log: parts.log,
      mended: () => this.#tablesDoubtful(),
    });
    this.#words = new Words(this.#groups, {
      memory: this.#memory,
      files: parts.files,
      managed: config.manager !== 'none',
      resident: parts.resident,
      failed: (error) => this.#loop.complain(error),
    });
    this.#peers = new Conversation(config, node, key, parts.log, this.#memory, {
      wake: () => void this.wake(),
      appeared: (peer) => this.#peerAppeared(peer),
      missedUs: () => this.#tell(),
      grew: (peer) => this.#upkeep.verifySoon(peer),
      answerWord: parts.answerWord,
      bulkWanted: (peer) => this.#demands.bulk(peer),
    });
    this.#replicas = new Replicas(this.#groups, this.#memory, parts.log, () => this.#owned.now);
    this.#upkeep = new Upkeep(
      parts.edges,
      parts.sorting,
      {
        owns: (bucket) => this.#owned.has(bucket),
        foreign: (bucket) => this.#commits?.pending !== true && this.#replicas.isForeign(bucket),
        owners: () => this.#replicas.owners(),
        listOf: (peer, signal) => parts.listOf(peer, signal),
        askBulk: (peer) => parts.askBulk(() => this.#peers.askBulk(peer.name)),
        verified: (peer, result) => this.#verified(peer, result),
        comparing: (peer, progress) => this.#replicas.comparing(peer, progress),
        interrupted: () => this.#memory.unsynced(),
        joined: () => parts.noteJoined(),
        reach: parts.reach,
        done: (step) => {
          this.#chronicle.doneForAll(step);
          this.#chronicle.flush();
        },
        note: (level, text) => parts.log[level](text),
      },
      { refresh: parts.refresh, verify: parts.verify, verifyBound: config.timeouts.sync },
      parts.fresh,
    );
    this.conntrackd = new ConntrackdNews(this.#upkeep, parts.log);
    const { external } = parts.edges;
    const lastStates = external && new LastStates(external, (text) => parts.log.warn(text));
    this.#lastStates = lastStates;
    this.#demands = new Demands(this.#upkeep, external !== undefined, parts.log, (error) =>
      this.#loop.complain(error),
    );
    this.#commits =
      external &&
      new Commits(external, {
        chronicle: this.#chronicle,
        reach: parts.reach,
        hold: (action) => this.#upkeep.hold(action),
        committed: () => this.#upkeep.committed(),
        wake: () => void this.wake(),
        note: (level, text) => parts.log[level](text),
      });
    this.#roundHost = {
      memory: this.#memory,
      owned: { ...parts.edges.owned, read: () => this.#owned.read() },
      manager: () => ({ kind: config.manager, alive: this.#managerAlive }),
      hold: (action) => this.#upkeep.hold(action),
      chronicle: this.#chronicle,
      reach: parts.reach,
      due: (decisions) => this.#commits?.due(decisions) ?? { decisions },
      sent: lastStates && (() => lastStates.send()),
      ask: (group, peer, synced) => this.#peers.ask(group, peer, synced),
      answer: (group, granted, reason) => this.#peers.answer(group, granted, reason),
      changed: (groups, active) => this.#owned.changed(groups, active),
      activated: (change) => this.#activated(change),
      deactivated: (change) => this.#deactivated(change),
    };
    this.#loop = new RoundLoop(
      () => this.#play(),
      (round) => this.#publish(round),
      parts.log,
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
      servedFlows(
        this.#parts.edges,
        this.#parts.sorting,
        (bucket) => this.#owned.has(bucket),
        (hashes) => this.#demands.missing(hashes),
      ),
      (from, error) =>
        log[error instanceof ForgeryError ? 'warn' : 'debug'](
          error instanceof Error ? error.message : `comparison asked for by ${from}: ${String(error)}`,
        ),
    );
    if (this.#parts.fresh) {
      this.#chronicle.begin('rejoin', '', 'the data plane was loaded anew');
    }
    this.#words.recall();
    if (this.#parts.resident) {
      // In this order: a hook that sees the agent must not take it for hung.
      files.beat();
      files.noteAgent();
    }
    this.#upkeep.start();
    this.#timer = setInterval(() => this.#halfTick(), TICK_MS / 2);
    await this.wake();
    this.#tell();
  }

  /** Stops acting. What is owned stays owned: forwarding doesn't depend on the agent. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#parts.resident) {
      this.#parts.files.forgetAgent();
    }
    await this.#commits?.ended();
    await this.#upkeep.stop();
    await this.#loop.ended();
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
    by: Wanted['by'],
    options: WordOptions = {},
  ): boolean {
    if (!this.#words.hear(group, word, role, by, options)) {
      return false;
    }
    if (by === 'operator') {
      // A peer that is asked for it must know already by whom.
      this.#tell();
    }
    void this.wake();
    return true;
  }

  /** Gives this node's groups away through the manager, or takes them back; kept until the next reboot. */
  drain(drained: boolean): void {
    this.#parts.files.noteDrained(drained);
    this.#memory.drain(drained);
    if (drained) {
      this.#words.drained();
    }
    this.#parts.log.info(drained ? 'drained: not ready for any group' : 'resumed: ready as before');
    void this.wake();
  }

  /**
   * The data interfaces that carry nothing, as the configuration names them, and a sentence about each.
   */
  setLost(interfaces: readonly string[], reasons: readonly string[]): void {
    this.#lost.set(interfaces, reasons);
    // Peers compare at once.
    this.#tell();
    void this.wake();
  }

  /** conntrackd holds the flows of the owned buckets and no others, as far as it can be asked. */
  get adopted(): boolean {
    return this.#upkeep.exact || this.#parts.conntrackdHealth() === 'absent';
  }

  /** Whether states are being committed, and a group waits for them. */
  get committing(): boolean {
    return this.#commits?.pending ?? false;
  }

  /** Whether the manager runs on this node. */
  setManagerAlive(alive: boolean): void {
    if (alive !== this.#managerAlive) {
      this.#managerAlive = alive;
      if (alive) {
        this.#parts.log.info(`${this.#parts.config.manager} runs`);
      } else {
        this.#words.managerGone();
        this.#parts.log.warn(
          `${this.#parts.config.manager} is gone: this node keeps what it owns until a peer asks`,
        );
      }
      void this.wake();
    }
  }

  /** Plays rounds until one has nothing to do. Returns when that is so. */
  wake(): Promise<void> {
    return this.#loop.wake();
  }

  /** The last round's snapshot and decisions. */
  get round(): Round | undefined {
    return this.#loop.round;
  }

  /** Resolves at the next round. */
  nextRound(): Promise<void> {
    return this.#loop.nextRound();
  }

  status(): Status {
    const snapshot = this.#loop.round?.snapshot ?? this.#see(new Set());
    return statusOf(snapshot, {
      manager: { kind: this.#parts.config.manager, alive: this.#managerAlive },
      loop: this.#loop,
      journal: this.#journal,
      replicas: this.#replicas,
      commits: this.#commits,
      lost: this.#lost,
      guard: this.#guard,
      ranges: this.#parts.ranges,
      conntrackd: this.#parts.conntrackdHealth,
    });
  }

  async #play(): Promise<Round> {
    this.#noticeStandStill();
    const now = performance.now();
    this.#words.ownedElsewhere(now);
    await this.#guard.look();
    return playRound(this.#roundHost, now);
  }

  async #publish(round: Round): Promise<void> {
    await this.#lease.renew(this.#parts.edges.owned, this.#owned.now);
    this.#journal.publish(round);
    this.#chronicle.flush();
    this.#beat();
  }

  #beat(): void {
    const now = performance.now();
    if (this.#parts.resident && now - this.#beatAt >= BEAT_MS) {
      this.#beatAt = now;
      this.#parts.files.beat();
    }
  }

  /** This node's tables may hold as its own what isn't. */
  #tablesDoubtful(): void {
    this.#upkeep.gaveUp();
    this.#upkeep.verifySoon();
  }

  /** A peer may have taken over what this node owns, and conntrackd may have stood still with it. */
  #noticeStandStill(): void {
    const now = performance.now();
    const milliseconds = this.#parts.standStill.look(now);
    if (milliseconds === 0) {
      return;
    }
    // Before the first round, which may take long: a stand-in that was started meanwhile must not end this agent.
    this.#beat();
    this.#memory.stoodStill(milliseconds, this.#owned.groups, now);
    // They answer at once: whether one of them has taken anything over must be known before anything else.
    this.#tell();
    if (milliseconds >= this.#parts.config.timeouts.peer) {
      const seconds = (milliseconds / 1000).toFixed(1);
      this.#parts.log.warn(`this node stood still for ${seconds} s: comparing its states with the peers'`);
      this.#memory.unsynced();
      this.#upkeep.verifySoon();
    }
  }

  /** Every round looks whether somebody has changed the kernel's rules, and so does this midway between two. */
  #halfTick(): void {
    this.#halfTicks += 1;
    if (this.#halfTicks % 2 === 0) {
      this.#tick();
    } else {
      void this.#watchRules();
    }
  }

  async #watchRules(): Promise<void> {
    // What can't be asked now is asked in the next round, and complained of there.
    if (await this.#guard.moved().catch(() => false)) {
      void this.wake();
    }
  }

  /** What is still owned, or was until the set was removed with its table. */
  async #held(): Promise<readonly number[]> {
    const held = await this.#parts.edges.owned.read().catch((error: unknown) => {
      if (isNotLoaded(error)) {
        return this.#lease.holds(performance.now()) ? this.#owned.now : new Set<number>();
      }
      throw error;
    });
    return restorable(this.#see(held), held);
  }

  #tick(): void {
    this.#noticeStandStill();
    if (!this.#lastStates?.leaving) {
      this.#tell();
    }
    void this.wake();
  }

  #tell(): void {
    this.#peers.tell(this.#see(this.#owned.now));
  }

  #see(owned: ReadonlySet<number>): Snapshot {
    const manager = { kind: this.#parts.config.manager, alive: this.#managerAlive };
    return this.#memory.snapshot(owned, manager, performance.now());
  }

  #activated(change: Change): void {
    this.#upkeep.tookOver();
    if (this.#commits !== undefined) {
      this.#commits.activated(change.decisions.map(({ group }) => group));
      this.#upkeep.emptyExternal();
    }
    this.#tell();
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
    this.#words.givenUp(change);
  }

  /** Something may have been lost while it was away; the next comparison tells. */
  #peerAppeared(peer: string): void {
    this.#replicas.distrust(peer);
    this.#parts.log.info(`${peer} answers on the sync link`);
    this.#upkeep.verifySoon(peer);
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
      this.#loop.complain(error);
    }
  }
}
