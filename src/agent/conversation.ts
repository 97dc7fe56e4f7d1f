import type { TableUse } from '../cluster/room.ts';
import { isForced, type Snapshot } from '../cluster/snapshot.ts';
import { QUIET_MS } from '../cluster/verdict.ts';
import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { type Claim, PeerLink, type PeerLinkEvents } from '../peers/link.ts';
import type { Body, LegsReport, StatusMessage } from '../peers/message.ts';
import type { Logger } from '../system/log.ts';
import type { Memory } from './memory.ts';

/** Milliseconds between two sendings of the same hand-over word. */
const REPEAT_MS = 20;
/** Milliseconds between two reports of the same reason for dropping messages. */
const REPORT_MS = 60_000;
/** How many reasons are remembered. */
const REPORTS = 100;

/** What a message from a peer sets off. */
export interface ConversationHost {
  /** What this node is known by. */
  readonly identity: () => StatusMessage['identity'];
  readonly arrived: () => StatusMessage['arrived'];
  /** A peer has told what it is known by, or told nothing of it. */
  readonly identified: (peer: string, identity: StatusMessage['identity']) => void;
  readonly arrivedAt: (peer: string, arrived: StatusMessage['arrived'], now: number) => void;
  /** Somebody who is no peer speaks with the agent. */
  readonly claimed: (from: string, claim: Claim) => void;
  readonly wake: () => void;
  /** A peer's clock as it was when it sent what is heard `now`. */
  readonly clock: (peer: string, session: string, clock: number, now: number) => void;
  /** What this node hears on its legs. */
  readonly legs: () => LegsReport | undefined;
  /** What a peer hears on its own, and which of them carry nothing. */
  readonly legsTold: (
    peer: string,
    report: LegsReport | undefined,
    lost: readonly string[],
    now: number,
  ) => void;
  /** This node's connection table, as it tells of it. */
  readonly table: () => TableUse | undefined;
  /** A peer's. */
  readonly tableOf: (peer: string, table: TableUse | undefined) => void;
  /** A peer answers again after silence. */
  readonly appeared: (peer: string) => void;
  /** A peer that was silent is heard again: it may not know what became of this node meanwhile. */
  readonly missedUs: () => void;
  /** A peer owns groups that it didn't own, or its conntrackd is back: what ended meanwhile was told to nobody. */
  readonly grew: (peer: string) => void;
  /** Sends an answer to a hand-over word. */
  readonly answerWord: (send: () => void) => void;
  /** Whether this node's conntrackd is unfit. */
  readonly unfit: () => boolean;
  /** A peer wants all states of this node's flows. */
  readonly bulkWanted: (peer: string) => void;
}

/** What carries the messages; `PeerLink` says what each of these does. */
export type Link = Pick<PeerLink, 'open' | 'send' | 'close'>;

/** Talks with the peers: status, the hand-over word, requests for states. What they say is noted in the memory. */
export class Conversation {
  readonly #peers: readonly NodeConfig[];
  readonly #memory: Memory;
  readonly #host: ConversationHost;
  readonly #link: Link;
  #words = 0;
  readonly #reported = new Map<string, number>();

  constructor(
    config: ClusterConfig,
    node: NodeConfig,
    key: Buffer,
    log: Logger,
    memory: Memory,
    host: ConversationHost,
    linkTo: (events: PeerLinkEvents) => Link = (events) => new PeerLink(config, node, key, events),
  ) {
    this.#peers = config.nodes.filter((peer) => peer.name !== node.name);
    this.#memory = memory;
    this.#host = host;
    this.#link = linkTo({
      message: (from, body, session) => this.#receive(from, body, session),
      claimed: (from, claim) => host.claimed(from, claim),
      rejected: (from, reason) => this.#reportRejected(log, `dropped a message from ${from}: ${reason}`),
    });
  }

  /** Throws a PeerLinkError. */
  open(): Promise<void> {
    return this.#link.open();
  }

  close(): void {
    this.#link.close();
  }

  /** Tells every peer what this node owns, wants and holds. */
  tell(snapshot: Snapshot): void {
    const names = (chosen: (group: Snapshot['groups'][number]) => boolean): string[] =>
      snapshot.groups.filter(chosen).map(({ name }) => name);
    const body: Body = {
      type: 'status',
      clock: performance.now(),
      managerAlive: snapshot.manager.alive,
      owns: names((group) => group.active > 0),
      wants: names((group) => group.wanted?.role === 'owner'),
      forced: names((group) => isForced(snapshot, group)),
      synced: names((group) => group.synced),
      lost: [...this.#memory.lost],
      legs: this.#host.legs(),
      identity: this.#host.identity(),
      arrived: this.#host.arrived(),
      ...(this.#host.unfit() ? { unfit: true } : {}),
      drained: snapshot.drained,
      table: this.#host.table(),
    };
    for (const peer of this.#peers) {
      this.#link.send(peer, body);
    }
  }

  /** Says the hand-over word to the owner, and again until it is answered: a datagram may be lost. */
  ask(group: string, peer: string, synced: boolean): void {
    const id = ++this.#words;
    this.#memory.questions.ask(group, peer, id, performance.now());
    const say = (): void => {
      const asked = this.#memory.questions.asked(group);
      if (asked?.id === id && asked.answer === undefined) {
        this.#send(peer, { type: 'ask', group, synced, id });
        setTimeout(say, REPEAT_MS).unref();
      }
    };
    say();
  }

  /** Says the word to a silent owner that wasn't waited for: if it lives, it gives up as soon as it hears it. */
  claim(group: string, peer: string): void {
    this.#send(peer, { type: 'ask', group, synced: true, id: ++this.#words });
  }

  /** Answers the request for `group` that waits, if one does. */
  answer(group: string, granted: boolean, reason: string): void {
    const request = this.#memory.questions.takeRequest(group);
    if (request !== undefined) {
      this.#host.answerWord(() =>
        this.#send(request.from, { type: 'answer', group, id: request.id, granted, reason }),
      );
    }
  }

  /** Asks an owner to send all its states. */
  askBulk(peer: string): void {
    this.#send(peer, { type: 'bulk' });
  }

  /** The same reason is said once a minute: who floods the port is not to flood the log. */
  #reportRejected(log: Logger, text: string): void {
    const now = performance.now();
    if (now - (this.#reported.get(text) ?? Number.NEGATIVE_INFINITY) < REPORT_MS) {
      return;
    }
    if (this.#reported.size >= REPORTS) {
      this.#reported.clear();
    }
    this.#reported.set(text, now);
    log.warn(text);
  }

  #send(to: string, body: Body): void {
    const peer = this.#peers.find(({ name }) => name === to);
    if (peer !== undefined) {
      this.#link.send(peer, body);
    }
  }

  #receive(from: string, body: Body, session: string): void {
    const now = performance.now();
    if (body.type !== 'status') {
      this.#memory.spoke(from, now);
    }
    switch (body.type) {
      case 'status':
        this.#receiveStatus(from, body, session, now);
        break;
      case 'ask':
        this.#memory.questions.request(body.group, from, body.id, body.synced, now);
        this.#host.wake();
        break;
      case 'answer':
        this.#memory.answered(body.group, from, body.id, body.granted, body.reason, now);
        this.#host.wake();
        break;
      case 'bulk':
        this.#host.bulkWanted(from);
        break;
    }
  }

  #receiveStatus(
    from: string,
    { clock, legs, identity, arrived, table, ...body }: Extract<Body, { type: 'status' }>,
    session: string,
    now: number,
  ): void {
    if (clock !== undefined) {
      this.#host.clock(from, session, clock, now);
    }
    this.#host.legsTold(from, legs, body.lost, now);
    this.#host.identified(from, identity);
    this.#host.arrivedAt(from, arrived, now);
    this.#host.tableOf(from, table);
    const before = this.#memory.peers(now).find(({ name }) => name === from);
    const mended = this.#memory.isUnfit(from) && body.unfit !== true;
    const news = before !== undefined && this.#memory.heard(from, session, body, now);
    if (before !== undefined && before.silent >= QUIET_MS) {
      this.#host.missedUs();
    }
    if (before === undefined || !news) {
      return;
    }
    if (!before.reachable) {
      this.#host.appeared(from);
    } else if (
      mended ||
      body.owns.some((group) => !before.owns.has(group)) ||
      // It holds none while its conntrackd is away, and compares before it does again.
      body.synced.some((group) => !before.synced.has(group))
    ) {
      this.#host.grew(from);
    }
    for (const group of before.owns) {
      if (!body.owns.includes(group)) {
        this.#compareWithOthers(group, now);
      }
    }
    this.#host.wake();
  }

  /** Who owned it together with another counted as the one to compare with; the other didn't begin to own it only now. */
  #compareWithOthers(group: string, now: number): void {
    for (const peer of this.#memory.peers(now)) {
      if (peer.reachable && peer.owns.has(group)) {
        this.#host.grew(peer.name);
      }
    }
  }
}
