import type { Server } from 'node:net';
import type { Snapshot, Wanted } from '../cluster/snapshot.ts';
import type { Status } from '../observe/status.ts';
import { ForgeryError } from '../peers/frames.ts';
import { serveVerification } from '../peers/verification.ts';
import { statusOf } from './agent-status.ts';
import { Channels } from './channels.ts';
import type { ConntrackdNews } from './conntrackd-news.ts';
import { lentCopies } from './lent-copies.ts';
import { LostInterfaces } from './lost-interfaces.ts';
import type { AgentParts } from './parts.ts';
import { Pulse } from './pulse.ts';
import { Reactions } from './reactions.ts';
import type { Round } from './round.ts';
import { servedFlows } from './served-flows.ts';
import type { WordOptions } from './words.ts';

/** One node's agent: wakes at every event, sees, decides, acts. */
export class Agent {
  readonly #parts: AgentParts;
  readonly #reactions: Reactions;
  readonly #pulse: Pulse;
  readonly #lost: LostInterfaces;
  /** Told by who watches conntrackd. */
  readonly conntrackd: ConntrackdNews;
  readonly #channels: Channels;
  #verification: Server | undefined;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#reactions = new Reactions(parts, {
      look: () => this.#pulse.look(),
      beat: () => this.#pulse.beat(),
    });
    this.#pulse = new Pulse({
      standStill: parts.standStill,
      tick: () => this.#tick(),
      midway: () => void this.#watchRules(),
      beat: () => {
        if (parts.resident) {
          parts.files.beat();
        }
      },
      stoodStill: (milliseconds, now) => this.#reactions.stoodStill(milliseconds, now),
    });
    this.#lost = new LostInterfaces(this.#reactions.memory, parts.log, (name) =>
      parts.neighbours.announce(`${name} carries again`),
    );
    this.conntrackd = this.#reactions.conntrackd;
    this.#channels = new Channels(() => this.#openChannels(), parts.log);
  }

  /** Opens the channels, recalls the manager's last words, plays the first round. Throws what can't be opened. */
  async start(): Promise<void> {
    const { files, resident, fresh } = this.#parts;
    const { chronicle, words, upkeep, states } = this.#reactions;
    await this.#channels.open();
    if (fresh) {
      chronicle.begin('rejoin', '', 'the data plane was loaded anew');
    }
    words.recall();
    if (resident) {
      // In this order: a hook that sees the agent must not take it for hung.
      files.beat();
      files.noteAgent();
    }
    upkeep.start();
    states.start();
    this.#pulse.start();
    await this.wake();
    this.#reactions.tell();
  }

  /** Stops acting. What is owned stays owned: forwarding doesn't depend on the agent. */
  async stop(): Promise<void> {
    const { commits, upkeep, loop, peers, states } = this.#reactions;
    this.#pulse.stop();
    states.stop();
    if (this.#parts.resident) {
      this.#parts.files.forgetAgent();
    }
    await commits?.ended();
    await upkeep.stop();
    await loop.ended();
    this.#channels.close();
    peers.close();
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
    if (!this.#reactions.words.hear(group, word, role, by, options)) {
      return false;
    }
    if (by === 'operator') {
      // A peer that is asked for it must know already by whom.
      this.#reactions.tell();
    }
    void this.wake();
    return true;
  }

  /** Gives this node's groups away through the manager, or takes them back; kept until the next reboot. */
  drain(drained: boolean): void {
    this.#parts.files.noteDrained(drained);
    this.#reactions.memory.drain(drained);
    if (drained) {
      this.#reactions.words.drained();
    }
    this.#parts.log.info(drained ? 'drained: not ready for any group' : 'resumed: ready as before');
    void this.wake();
  }

  /** The data interfaces that carry nothing, as the configuration names them, a sentence about each, and those that are deaf. */
  setLost(interfaces: readonly string[], reasons: readonly string[], deaf: readonly string[]): void {
    this.#lost.set(interfaces, reasons, deaf);
    // Peers compare at once.
    this.#reactions.tell();
    void this.wake();
  }

  /** Whose connection tables are filling, and whose lack the room for what all nodes hold. */
  setTables(tables: Snapshot['tables']): void {
    this.#reactions.memory.tables(tables);
    void this.wake();
  }

  /** Looks at once whether all that the data plane consists of is there, mends it, and says what can't be mended. */
  async mend(): Promise<readonly string[]> {
    this.#reactions.guard.doubt();
    await this.wake();
    await this.#parts.mendNow();
    return [
      ...this.#lost.warnings.map(({ text }) => text),
      ...this.#parts.presence.failures,
      ...this.#reactions.guard.failures,
    ];
  }

  /** Something was seen after which our rules may not be whole, though none has been changed. */
  doubtTables(): void {
    this.#reactions.guard.doubt();
    void this.wake();
  }

  /** conntrackd holds the flows of the owned buckets and no others, as far as it can be asked. */
  get adopted(): boolean {
    return this.#reactions.upkeep.exact || this.#parts.conntrackdHealth() === 'absent';
  }

  /** Whether states are being committed, and a group waits for them. */
  get committing(): boolean {
    return this.#reactions.commits?.pending ?? false;
  }

  /** Whether the manager runs on this node. */
  setManagerAlive(alive: boolean): void {
    if (alive !== this.#reactions.managerAlive) {
      this.#reactions.managerAlive = alive;
      if (alive) {
        this.#parts.log.info(`${this.#parts.config.manager} runs`);
      } else {
        this.#reactions.words.managerGone();
        this.#parts.log.warn(
          `${this.#parts.config.manager} is gone: this node keeps what it owns until a peer asks`,
        );
      }
      void this.wake();
    }
  }

  /** Plays rounds until one has nothing to do. Returns when that is so. */
  wake(): Promise<void> {
    return this.#reactions.loop.wake();
  }

  /** The last round's snapshot and decisions. */
  get round(): Round | undefined {
    return this.#reactions.loop.round;
  }

  /** Resolves at the next round. */
  nextRound(): Promise<void> {
    return this.#reactions.loop.nextRound();
  }

  status(): Status {
    const { loop, journal, replicas, commits, guard, manager, conntrackd: news, states } = this.#reactions;
    const { ranges, presence, legs, arrivals, room, surroundings, strangers, others } = this.#parts;
    const { keepalivedConf, conntrackdHealth: conntrackd, conntrackdWarnings } = this.#parts;
    const snapshot = loop.round?.snapshot ?? this.#reactions.see(new Set());
    return statusOf(snapshot, {
      manager,
      loop,
      journal,
      replicas,
      commits,
      destroyed: states.destroyed,
      lost: this.#lost,
      guard,
      presence,
      legs,
      arrivals,
      ranges,
      news,
      room,
      surroundings,
      strangers,
      others,
      keepalivedConf,
      conntrackd,
      conntrackdWarnings,
    });
  }

  async #openChannels(): Promise<void> {
    const { config, node, key, log, edges, sorting } = this.#parts;
    const { peers, owned, demands, memory, replicas, upkeep } = this.#reactions;
    await peers.open();
    const flows = servedFlows(
      edges,
      sorting,
      (bucket) => owned.has(bucket),
      (hashes) => memory.lacksRoom || demands.missing(hashes),
      () => upkeep.requireIntact(),
    );
    const copiesFor = (owner: string) =>
      lentCopies(
        edges,
        sorting,
        (bucket) => replicas.isOwnedBy(owner, bucket),
        (touching) => upkeep.lend(touching),
      );
    this.#verification = await serveVerification(config, node, key, { flows, copiesFor }, (from, error) =>
      log[error instanceof ForgeryError ? 'warn' : 'debug'](
        error instanceof Error ? error.message : `comparison asked for by ${from}: ${String(error)}`,
      ),
    );
  }

  #tick(): void {
    if (!this.#reactions.lastStates?.leaving) {
      this.#reactions.tell();
    }
    void this.wake();
  }

  /** Every round looks whether somebody has changed the kernel's rules, and so does this between two. */
  async #watchRules(): Promise<void> {
    // What can't be asked now is asked in the next round, and complained of there.
    if (await this.#reactions.guard.moved().catch(() => false)) {
      void this.wake();
    }
  }
}
