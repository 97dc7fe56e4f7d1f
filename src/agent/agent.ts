import type { Server } from 'node:net';
import type { Decision } from '../cluster/decide.ts';
import { fingerprint } from '../cluster/fingerprint.ts';
import { bucketOfFlow, type Tuple } from '../cluster/flow.ts';
import { type Group, groupsOf } from '../cluster/groups.ts';
import { readiness } from '../cluster/readiness.ts';
import type { Snapshot } from '../cluster/snapshot.ts';
import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { groupStatuses, type Status, type VerifiedStatus, warningsOf } from '../observe/status.ts';
import { PeerLink } from '../peers/link.ts';
import type { Body } from '../peers/message.ts';
import { serveVerification } from '../peers/verification.ts';
import type { Logger } from '../system/log.ts';
import type { Edges, Sorting } from '../transitions/edges.ts';
import type { OwnersList, Verification } from '../transitions/verify.ts';
import type { AgentFiles } from './files.ts';
import { Memory, wantedBy } from './memory.ts';
import { type Change, playRound, type Round } from './round.ts';
import { type OwnerPeer, Upkeep } from './upkeep.ts';

/** Between two statuses to the peers, and between two rounds at most. */
const TICK_MS = 100;
/** Between two sendings of the same hand-over word. */
const REPEAT_MS = 20;

/** What the agent is made of. All of it acts on real parts; the lab's broken agents wrap some of it. */
export interface AgentParts {
  readonly config: ClusterConfig;
  readonly node: NodeConfig;
  readonly key: Buffer;
  readonly edges: Edges;
  readonly sorting: () => Sorting;
  readonly files: AgentFiles;
  readonly log: Logger;
  /** Whether the data plane was loaded just now: nothing here can be trusted, and nothing is owned. */
  readonly fresh: boolean;
  /** Milliseconds between two rounds of keeping replicas' copies from expiring. */
  readonly refresh: number;
  /** How many flows the kernel holds, for the log. */
  readonly flowCount: () => number;
  readonly conntrackdHealth: () => Status['conntrackd'];
  /** Tells the manager whether this node is ready for a group. */
  readonly announce: (group: string, ready: boolean) => void;
  /** Asks an owner for all its states. */
  readonly askBulk: (send: () => void) => void;
  /** Asks an owner for the list of its flows. */
  readonly listOf: (peer: NodeConfig, buckets: readonly number[], signal: AbortSignal) => Promise<OwnersList>;
}

/** One node's agent: wakes at every event, sees, decides, acts. */
export class Agent {
  readonly #parts: AgentParts;
  readonly #groups: readonly Group[];
  readonly #groupOf: readonly Group[];
  readonly #memory: Memory;
  readonly #link: PeerLink;
  readonly #upkeep: Upkeep;
  #verification: Server | undefined;
  #owned: ReadonlySet<number> = new Set();
  #managerAlive: boolean;
  #round: Round | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #words = 0;
  #failure = '';
  readonly #since = new Map<string, string>();
  readonly #verified = new Map<string, VerifiedStatus>();
  readonly #waiters = new Set<() => void>();

  constructor(parts: AgentParts) {
    const { config, node, key } = parts;
    this.#parts = parts;
    this.#groups = groupsOf(config);
    this.#groupOf = [];
    const byBucket: Group[] = [];
    for (const group of this.#groups) {
      for (const bucket of group.buckets) {
        byBucket[bucket] = group;
      }
    }
    this.#groupOf = byBucket;
    this.#managerAlive = config.manager === 'none';
    this.#memory = new Memory(node.name, this.#groups, this.#peers.map(({ name }) => name), config.timeouts, performance.now());
    this.#link = new PeerLink(config, node, key, {
      message: (from, body, session) => this.#receive(from, body, session),
      rejected: (from, reason) => parts.log.warn(`dropped a message from ${from}: ${reason}`),
    });
    this.#upkeep = new Upkeep(
      parts.edges,
      parts.sorting,
      {
        owns: (bucket) => this.#owned.has(bucket),
        foreign: (bucket) => this.#isForeign(bucket),
        owners: () => this.#owners(),
        listOf: (peer, signal) => this.#listOf(peer, signal),
        askBulk: (peer) => parts.askBulk(() => this.#send(peer.name, { type: 'bulk' })),
        verified: (peer, result) => this.#noteVerified(peer, result),
        interrupted: () => this.#memory.unsynced(),
        note: (level, text) => parts.log[level](text),
      },
      { refresh: parts.refresh, verify: 60_000, verifyBound: config.timeouts.sync },
      parts.fresh,
    );
  }

  /** Opens the channels, recalls the manager's last words, plays the first round. Throws what can't be opened. */
  async start(): Promise<void> {
    const { config, node, key, files, log } = this.#parts;
    await this.#link.open();
    this.#verification = await serveVerification(
      config,
      node,
      key,
      { hashes: (buckets) => this.#hashes(buckets), touch: (buckets, hashes) => this.#touch(buckets, hashes) },
      (from, error) => log.debug(`comparison with ${from} ended: ${String(error)}`),
    );
    this.#recall(files);
    this.#upkeep.start();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    await this.wake();
  }

  /** Stops acting. What is owned stays owned: forwarding doesn't depend on the agent. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#upkeep.stop();
    await this.#running;
    this.#link.close();
    this.#verification?.close();
  }

  /** The manager's or operator's word for a group; kept in a file before anything is done. */
  want(group: string, word: string, role: 'owner' | 'replica', by: 'keepalived' | 'operator' | 'start', force = false): void {
    const wanted = wantedBy(by, word, role, performance.now(), force);
    if (by !== 'start') {
      this.#parts.files.keepWanted(group, wanted);
    }
    this.#memory.want(group, wanted);
    void this.wake();
  }

  /** Whether the manager runs on this node. */
  setManagerAlive(alive: boolean): void {
    if (alive !== this.#managerAlive) {
      this.#managerAlive = alive;
      this.#parts.log.warn(alive ? 'keepalived runs' : 'keepalived is gone: this node keeps what it owns until a peer asks');
      void this.wake();
    }
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

  /** Whether nothing is left to settle: internal cache, rejoining and, for each owner, a comparison. */
  get settled(): boolean {
    return this.#upkeep.idle && this.#owners().every((peer) => this.#verified.has(peer.name));
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
      groups: groupStatuses(snapshot, this.#round?.decisions ?? [], (group) => this.#since.get(group) ?? null),
      peers: snapshot.peers.map(({ name, reachable }) => ({ name, reachable })),
      conntrackd: this.#parts.conntrackdHealth(),
      verified: [...this.#verified.values()],
      warnings: [
        ...warningsOf(snapshot),
        ...(this.#failure === '' ? [] : [this.#failure]),
        ...(this.#parts.conntrackdHealth() === 'ok' ? [] : [`conntrackd is ${this.#parts.conntrackdHealth()}`]),
      ],
    };
  }

  get #peers(): readonly NodeConfig[] {
    return this.#parts.config.nodes.filter((peer) => peer.name !== this.#parts.node.name);
  }

  async #play(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        const round = await playRound(
          {
            memory: this.#memory,
            owned: { ...this.#parts.edges.owned, read: () => this.#readOwned() },
            manager: () => ({ kind: this.#parts.config.manager, alive: this.#managerAlive }),
            hold: (action) => this.#upkeep.hold(action),
            ask: (group, peer) => this.#ask(group, peer),
            answer: (group, granted, reason) => this.#answer(group, granted, reason),
            activated: (change) => this.#activated(change),
            deactivated: (change) => this.#deactivated(change),
          },
          performance.now(),
        );
        this.#again ||= round.acted;
        this.#round = round;
        this.#publish(round);
        this.#failure = '';
      } catch (error) {
        this.#complain(error);
      }
    }
  }

  async #readOwned(): Promise<ReadonlySet<number>> {
    this.#owned = await this.#parts.edges.owned.read();
    return this.#owned;
  }

  #tick(): void {
    this.#sendStatus();
    void this.wake();
  }

  #recall(files: AgentFiles): void {
    for (const { name } of this.#groups) {
      const wanted = files.readWanted(name, performance.now());
      if (wanted !== undefined) {
        this.#memory.want(name, wanted);
      }
    }
  }

  #see(owned: ReadonlySet<number>): Snapshot {
    const manager = { kind: this.#parts.config.manager, alive: this.#managerAlive };
    return this.#memory.snapshot(owned, manager, performance.now());
  }

  #activated(change: Change): void {
    this.#upkeepKnows(change, true);
    this.#upkeep.tookOver();
    this.#sendStatus();
    const flows = this.#parts.flowCount();
    for (const decision of change.decisions) {
      this.#tell('took over', decision, change, `; ${flows} flows held`);
    }
  }

  #deactivated(change: Change): void {
    this.#upkeepKnows(change, false);
    this.#upkeep.gaveUp();
    for (const decision of change.decisions) {
      if (this.#parts.config.manager === 'none') {
        // Without a manager the newest operator's word counts, wherever it was said.
        this.#memory.forget(decision.group);
        this.#parts.files.forgetWanted(decision.group);
      }
      this.#tell('released', decision, change, '');
    }
  }

  /** What the batches look up changes with the kernel, not with the next round's reading. */
  #upkeepKnows(change: Change, active: boolean): void {
    const owned = new Set(this.#owned);
    for (const { group } of change.decisions) {
      for (const bucket of this.#groups.find(({ name }) => name === group)?.buckets ?? []) {
        active ? owned.add(bucket) : owned.delete(bucket);
      }
    }
    this.#owned = owned;
  }

  #tell(verb: string, { group, reason }: Decision, change: Change, more: string): void {
    const buckets = this.#groups.find(({ name }) => name === group)?.buckets.length ?? 0;
    this.#since.set(group, new Date().toISOString());
    this.#parts.log.info(
      `${verb} ${group} (${buckets} buckets) in ${change.milliseconds.toFixed(1)} ms: ${reason}${more}`,
    );
  }

  #publish(round: Round): void {
    const { files, announce } = this.#parts;
    for (const group of round.snapshot.groups) {
      const reason = round.decisions.find((decision) => decision.group === group.name)?.reason ?? '';
      const role = group.active > 0 ? 'owner' : 'replica';
      files.writeGroup(group.name, role, reason, this.#since.get(group.name) ?? '');
    }
    for (const { group, ready } of readiness(round.snapshot)) {
      announce(group, ready);
    }
    for (const resolve of this.#waiters) {
      resolve();
    }
    this.#waiters.clear();
  }

  #sendStatus(): void {
    const snapshot = this.#see(this.#owned);
    const names = (chosen: (group: Snapshot['groups'][number]) => boolean): string[] =>
      snapshot.groups.filter(chosen).map(({ name }) => name);
    const body: Body = {
      type: 'status',
      managerAlive: this.#managerAlive,
      owns: names((group) => group.active > 0),
      wants: names((group) => group.wanted?.role === 'owner'),
      synced: names((group) => group.synced),
      warnings: [],
    };
    for (const peer of this.#peers) {
      this.#link.send(peer, body);
    }
  }

  #send(to: string, body: Body): void {
    const peer = this.#peers.find(({ name }) => name === to);
    if (peer !== undefined) {
      this.#link.send(peer, body);
    }
  }

  #receive(from: string, body: Body, session: string): void {
    const now = performance.now();
    switch (body.type) {
      case 'hello':
        return;
      case 'status':
        return this.#receiveStatus(from, body, session, now);
      case 'ask':
        this.#memory.request(body.group, from, body.id, body.synced, now);
        break;
      case 'answer':
        this.#memory.answered(body.group, from, body.id, body.granted, body.reason, now);
        break;
      case 'bulk':
        this.#sendBulk(from);
        return;
    }
    void this.wake();
  }

  #receiveStatus(from: string, body: Extract<Body, { type: 'status' }>, session: string, now: number): void {
    const before = this.#memory.peers(now).find(({ name }) => name === from);
    const changed = this.#memory.heard(from, session, body, now);
    if (!changed || before === undefined) {
      return;
    }
    if (!before.reachable) {
      // Something may have been lost while it was away; the next comparison tells.
      this.#memory.unsynced(from);
      this.#verified.delete(from);
      this.#parts.log.info(`${from} answers on the sync link`);
    }
    if (!before.reachable || body.owns.some((group) => !before.owns.has(group))) {
      this.#upkeep.verifySoon(from);
    }
    void this.wake();
  }

  #sendBulk(to: string): void {
    this.#upkeep.bulk().then(
      (sent) => this.#parts.log.debug(sent ? `sent all states to ${to}` : `${to} wants all states; not now, the cache isn't exact`),
      (error: unknown) => this.#complain(error),
    );
  }

  /** The hand-over word, repeated until it is answered: a datagram may be lost. */
  #ask(group: string, peer: string): void {
    const id = ++this.#words;
    this.#memory.ask(group, peer, id, performance.now());
    const synced = this.#round?.snapshot.groups.find(({ name }) => name === group)?.synced ?? false;
    const say = (): void => {
      const asked = this.#memory.asked(group);
      if (asked?.id === id && asked.answer === undefined) {
        this.#send(peer, { type: 'ask', group, synced, id });
        setTimeout(say, REPEAT_MS).unref();
      }
    };
    say();
  }

  #answer(group: string, granted: boolean, reason: string): void {
    const request = this.#memory.takeRequest(group);
    if (request !== undefined) {
      this.#send(request.from, { type: 'answer', group, id: request.id, granted, reason });
    }
  }

  #owners(): readonly OwnerPeer[] {
    return this.#memory
      .peers(performance.now())
      .filter((peer) => peer.reachable)
      .map((peer) => {
        const groups = this.#groups.filter(
          (group) => peer.owns.has(group.name) && !group.buckets.some((bucket) => this.#owned.has(bucket)),
        );
        return {
          name: peer.name,
          groups: groups.map(({ name }) => name),
          buckets: new Set(groups.flatMap(({ buckets }) => buckets)),
        };
      })
      .filter((peer) => peer.groups.length > 0);
  }

  #isForeign(bucket: number): boolean {
    const group = this.#groupOf[bucket];
    return (
      group !== undefined &&
      !this.#owned.has(bucket) &&
      this.#memory.peers(performance.now()).some((peer) => peer.reachable && peer.owns.has(group.name))
    );
  }

  async #listOf(peer: OwnerPeer, signal: AbortSignal): Promise<OwnersList> {
    const target = this.#peers.find(({ name }) => name === peer.name);
    if (target === undefined) {
      throw new Error(`${peer.name} is no peer`);
    }
    return this.#parts.listOf(target, [...peer.buckets], signal);
  }

  #noteVerified(peer: OwnerPeer, result: Verification): void {
    const { log } = this.#parts;
    const before = this.#verified.get(peer.name);
    this.#verified.set(peer.name, {
      peer: peer.name,
      synced: result.synced,
      flows: result.flows,
      missing: result.missing,
      at: new Date().toISOString(),
    });
    if (result.synced) {
      this.#memory.synced(peer.groups, peer.name);
      log[before?.synced ? 'debug' : 'info'](
        `holds the states of ${peer.name}: ${result.flows} flows compared in ${result.rounds} rounds, ${result.removed} stale ones removed`,
      );
    } else {
      this.#memory.unsynced(peer.name);
      log.warn(`${result.missing} of ${result.flows} flows of ${peer.name} are still missing here; not synced`);
      this.#upkeep.verifySoon(peer.name);
    }
    void this.wake();
  }

  async *#hashes(buckets: ReadonlySet<number>): AsyncIterable<readonly number[]> {
    const sorting = this.#parts.sorting();
    for await (const flows of this.#parts.edges.table.dump()) {
      yield flows.filter((flow) => this.#serves(sorting, buckets, flow)).map(fingerprint);
    }
  }

  async #touch(buckets: ReadonlySet<number>, hashes: ReadonlySet<number>): Promise<number> {
    const sorting = this.#parts.sorting();
    let touched = 0;
    for await (const flows of this.#parts.edges.table.dump()) {
      const tuples: Tuple[] = flows
        .filter((flow) => this.#serves(sorting, buckets, flow) && hashes.has(fingerprint(flow)))
        .map((flow) => flow.original);
      if (tuples.length > 0) {
        touched += (await this.#parts.edges.table.touch(tuples)).done;
      }
    }
    return touched;
  }

  #serves(sorting: Sorting, buckets: ReadonlySet<number>, flow: Parameters<Sorting['replicated']>[0]): boolean {
    const bucket = bucketOfFlow(flow, sorting.hashing);
    return buckets.has(bucket) && this.#owned.has(bucket) && sorting.replicated(flow);
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
