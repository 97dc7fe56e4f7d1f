import { groupsOf } from '../cluster/groups.ts';
import type { Snapshot } from '../cluster/snapshot.ts';
import { timeoutsOf } from '../cluster/timeouts.ts';
import { isFit } from '../conntrackd/health.ts';
import { warningsOf } from '../observe/warnings.ts';
import type { Verification } from '../transitions/verify.ts';
import { Chronicle } from './chronicle.ts';
import { Commits } from './commits.ts';
import { ConntrackdNews } from './conntrackd-news.ts';
import { Conversation } from './conversation.ts';
import { Demands } from './demands.ts';
import { guardHostOf } from './guard-host.ts';
import { Journal } from './journal.ts';
import { LastStates } from './last-states.ts';
import { Lease } from './lease.ts';
import { Memory } from './memory.ts';
import { OwnedBuckets } from './owned-buckets.ts';
import type { AgentParts } from './parts.ts';
import { type OwnerPeer, Replicas } from './replicas.ts';
import { type Change, playRound, type Round, type RoundHost } from './round.ts';
import { RoundLoop } from './round-loop.ts';
import { StatesGuard } from './states-guard.ts';
import { TableGuard } from './table-guard.ts';
import { Upkeep } from './upkeep.ts';
import { WarningNews } from './warning-news.ts';
import { Words } from './words.ts';

/** Periods between comparisons for which the last one's result counts. */
const PERIODS = 2;
/** How long it may be tried in vain to compare with a peer that can be reached. */
const UNVERIFIABLE_MS = 10_000;

/** What the agent does with its rhythm. */
interface Rhythm {
  /** Before each round. */
  readonly look: () => void;
  /** After each good one. */
  readonly beat: () => void;
}

/** What happens in one agent and around it, and what each event leads to: who keeps what of it, and who tells whom. */
export class Reactions {
  readonly #parts: AgentParts;
  readonly chronicle: Chronicle;
  readonly journal: Journal;
  readonly memory: Memory;
  readonly owned: OwnedBuckets;
  readonly lease: Lease;
  readonly guard: TableGuard;
  readonly words: Words;
  readonly peers: Conversation;
  readonly replicas: Replicas;
  readonly upkeep: Upkeep;
  /** Told by who watches conntrackd. */
  readonly conntrackd: ConntrackdNews;
  readonly demands: Demands;
  readonly states: StatesGuard;
  /** With `replicas: cache`. */
  readonly commits: Commits | undefined;
  /** With `replicas: cache`. */
  readonly lastStates: LastStates | undefined;
  readonly loop: RoundLoop;
  readonly #news: WarningNews;
  readonly #roundHost: RoundHost;
  managerAlive: boolean;

  constructor(parts: AgentParts, rhythm: Rhythm) {
    const { config, node, log } = parts;
    const { external } = parts.edges;
    const groups = groupsOf(config);
    const wake = () => void this.loop.wake();
    const note = (level: 'info' | 'warn' | 'error' | 'debug', text: string) => log[level](text);
    this.#parts = parts;
    this.managerAlive = config.manager === 'none';
    this.journal = new Journal(groups, parts.files, log, parts.announce);
    this.#news = new WarningNews(log);
    this.chronicle = new Chronicle(node.name, (lines) => this.#keep(lines));
    const peers = config.nodes.filter((peer) => peer.name !== node.name).map(({ name }) => name);
    const believed = PERIODS * parts.verify;
    this.memory = new Memory(node.name, groups, peers, timeoutsOf(config), performance.now(), believed);
    // Its lease has run out, or another program took it out: its flows are no longer this node's.
    this.owned = new OwnedBuckets(
      groups,
      parts.edges.owned,
      () => this.#tablesDoubtful(),
      () => parts.neighbours.announce('this node owns something from now on'),
    );
    this.lease = new Lease(parts.lease);
    this.guard = new TableGuard(
      parts.tables,
      guardHostOf(parts, {
        memory: this.memory,
        owned: this.owned,
        lease: this.lease,
        chronicle: this.chronicle,
        see: (owned) => this.see(owned),
        doubtful: () => this.#tablesDoubtful(),
      }),
    );
    this.words = new Words(groups, {
      memory: this.memory,
      files: parts.files,
      managed: config.manager !== 'none',
      resident: parts.resident,
      failed: (error) => this.loop.complain(error),
    });
    this.peers = new Conversation(config, node, parts.key, log, this.memory, {
      identity: () => parts.strangers.own,
      identified: (peer, identity) => parts.strangers.told(peer, identity),
      arrived: () => parts.arrivals.own,
      arrivedAt: (peer, arrived, now) => parts.arrivals.told(peer, arrived, now),
      claimed: (from, claim) => parts.strangers.claimed(from, claim),
      wake,
      clock: (peer, session, clock, now) => {
        const milliseconds = parts.clocks.heard(peer, session, clock, now);
        if (milliseconds > 0) {
          this.stoodStill(milliseconds, now, false);
        }
      },
      legs: () => parts.legs.report(),
      legsTold: (peer, report, lost, now) => parts.legs.told(peer, report, lost, now),
      table: () => parts.room.own,
      tableOf: (peer, table) => parts.room.heard(peer, table),
      appeared: (peer) => this.#peerAppeared(peer),
      missedUs: () => this.tell(),
      grew: (peer) => this.upkeep.verifySoon(peer),
      answerWord: parts.answerWord,
      unfit: () => this.replicas.away && parts.conntrackdHealth() === 'unfit',
      bulkWanted: (peer) => this.demands.bulk(peer),
    });
    this.replicas = new Replicas(
      groups,
      this.memory,
      log,
      () => this.owned.now,
      () => parts.conntrackdHealth(),
    );
    this.states = new StatesGuard(parts, {
      owns: (bucket) => this.owned.has(bucket),
      recalling: () => this.upkeep.recalling,
      thinned: () => this.upkeep.verifySoon(),
      log,
    });
    const { destroyed, witnesses } = this.states;
    this.upkeep = new Upkeep(
      parts.edges,
      parts.sorting,
      {
        owns: (bucket) => this.owned.has(bucket),
        foreign: (bucket) => this.commits?.pending !== true && this.replicas.isForeign(bucket),
        owners: () => this.replicas.owners(),
        listOf: (peer, signal) => parts.listOf(peer, signal),
        holders: () => this.#holders(),
        reachable: (peer) =>
          this.memory.peers(performance.now()).some(({ name, reachable }) => name === peer && reachable),
        copiesAt: (peer, signal) => parts.copiesAt(peer, [...this.owned.now], signal),
        lookForFlush: parts.lookForFlush,
        witnesses,
        emptied: (held, flows) => destroyed.emptied(held, flows),
        recalled: (result) => {
          this.states.recalled(result, this.owned.now.size > 0);
          this.#try(() => parts.flushDealtWith());
        },
        askBulk: (peer) => parts.askBulk(() => this.peers.askBulk(peer.name)),
        verified: (peer, result) => this.#verified(peer, result),
        unverifiable: (peer, reason) => {
          this.replicas.unverifiable(peer, reason);
          wake();
        },
        fit: () => isFit(parts.conntrackdHealth()),
        refusing: () => this.conntrackd.refusing(performance.now()),
        comparing: (peer, progress) => this.replicas.comparing(peer, progress),
        interrupted: () => this.memory.unsynced(),
        joined: () => parts.noteJoined(),
        counted: (flows) => parts.room.counted(flows),
        reach: parts.reach,
        done: (step) => {
          this.chronicle.doneForAll(step);
          this.chronicle.flush();
        },
        note,
      },
      {
        refresh: parts.refresh,
        verify: parts.verify,
        verifyBound: config.timeouts.sync,
        // A dead peer must have been noticed by then.
        unverifiable: Math.max(UNVERIFIABLE_MS, 3 * config.timeouts.peer),
      },
      parts.fresh,
    );
    this.conntrackd = new ConntrackdNews(this.upkeep, destroyed, log);
    this.demands = new Demands(this.upkeep, external !== undefined, log, (error) =>
      this.loop.complain(error),
    );
    this.lastStates = external && new LastStates(external, (text) => log.warn(text));
    this.commits =
      external &&
      new Commits(external, {
        chronicle: this.chronicle,
        reach: parts.reach,
        hold: (action) => this.upkeep.hold(action),
        committed: () => this.upkeep.committed(),
        wake,
        note,
      });
    const { lastStates } = this;
    this.#roundHost = {
      memory: this.memory,
      owned: {
        ...parts.edges.owned,
        read: async () => {
          const owned = await this.owned.read();
          // A process that is stopped while it waits for the kernel must not decide as if nothing had happened.
          rhythm.look();
          return owned;
        },
      },
      manager: () => this.manager,
      hold: (action) => this.upkeep.hold(action),
      chronicle: this.chronicle,
      reach: parts.reach,
      due: (decisions) => this.commits?.due(decisions) ?? { decisions },
      sent: lastStates && (() => lastStates.send()),
      ask: (group, peer, synced) => this.peers.ask(group, peer, synced),
      answer: (group, granted, reason) => this.peers.answer(group, granted, reason),
      changed: (groups, active) => this.owned.changed(groups, active),
      activated: (change) => this.#activated(change),
      deactivated: (change) => this.#deactivated(change),
    };
    this.loop = new RoundLoop(
      () => {
        rhythm.look();
        return this.#play();
      },
      async (round) => {
        await this.#publish(round);
        rhythm.beat();
      },
      log,
    );
  }

  /** Says at once to all peers what is owned and known: not before it is, or a peer takes what seems to be nobody's. */
  tell(): void {
    if (this.owned.known) {
      this.peers.tell(this.see(this.owned.now));
    }
  }

  see(owned: ReadonlySet<number>): Snapshot {
    return this.memory.snapshot(owned, this.manager, performance.now());
  }

  get manager(): Snapshot['manager'] {
    return { kind: this.#parts.config.manager, alive: this.managerAlive };
  }

  /** A peer may have taken over what this node owns, and conntrackd may have stood still with it. */
  stoodStill(milliseconds: number, now: number, clock = true): void {
    this.memory.stoodStill(milliseconds, this.owned.groups, now, clock);
    if (clock) {
      this.#parts.clocks.awoke(now);
    }
    // They answer at once: whether one of them has taken anything over must be known before anything else.
    this.tell();
    // Of a clock that stood still it is only known that it did for so long at least.
    if (!clock || milliseconds >= this.#parts.config.timeouts.peer) {
      const seconds = `${(milliseconds / 1000).toFixed(1)} s${clock ? '' : ' or more, and its clock with it'}`;
      this.#parts.log.warn(`this node stood still for ${seconds}: comparing its states with the peers'`);
      this.memory.unsynced();
      this.upkeep.verifySoon();
    }
  }

  async #play(): Promise<Round> {
    const now = performance.now();
    this.words.ownedElsewhere(now);
    this.replicas.look(now);
    await this.guard.look();
    return playRound(this.#roundHost, now);
  }

  async #publish(round: Round): Promise<void> {
    const { watched, edges } = this.#parts;
    await this.lease.renew(edges.owned, this.owned.now);
    if (watched.isDue(round.snapshot.now)) {
      await this.guard.expect(() => watched.showLife());
    }
    this.journal.publish(round);
    this.#news.look(warningsOf(round.snapshot, round.decisions), round.snapshot.now);
    this.chronicle.flush();
  }

  #activated(change: Change): void {
    this.upkeep.tookOver();
    if (this.commits !== undefined) {
      this.commits.activated(change.decisions.map(({ group }) => group));
      this.upkeep.emptyExternal();
    }
    this.tell();
    this.journal.tookOver(change, this.#parts.flowCount());
    const peers = this.memory.peers(performance.now());
    for (const { group } of change.decisions) {
      for (const { name } of peers.filter((peer) => peer.owns.has(group))) {
        this.peers.claim(group, name);
      }
    }
  }

  #deactivated(change: Change): void {
    this.#parts.room.gaveUp();
    this.#tablesDoubtful();
    this.journal.released(change);
    this.words.givenUp(change);
  }

  /** This node's tables may hold as its own what isn't. */
  #tablesDoubtful(): void {
    this.upkeep.gaveUp();
    this.upkeep.verifySoon();
  }

  /** Something may have been lost while it was away; the next comparison tells. */
  #peerAppeared(peer: string): void {
    this.replicas.distrust(peer);
    this.#parts.log.info(`${peer} answers on the sync link`);
    this.upkeep.verifySoon(peer);
  }

  #verified(peer: OwnerPeer, result: Verification): void {
    const refused = this.conntrackd.refusing(performance.now()) ? this.conntrackd.refused : 0;
    this.replicas.note(peer, result, refused);
    if (!result.synced) {
      this.upkeep.verifySoon(peer.name);
    }
    void this.loop.wake();
  }

  /** The reachable peers; of them those that hold all that this node owns, if there are any: others may hold what has ended. */
  #holders(): readonly string[] {
    const peers = this.memory.peers(performance.now()).filter((peer) => peer.reachable);
    const whole = peers.filter(({ synced }) => this.owned.groups.every((group) => synced.has(group)));
    return (whole.length > 0 ? whole : peers).map(({ name }) => name);
  }

  #keep(lines: string): void {
    this.#try(() => this.#parts.events.append(lines));
  }

  /** What can't be written keeps nobody from going on. */
  #try(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.loop.complain(error);
    }
  }
}
