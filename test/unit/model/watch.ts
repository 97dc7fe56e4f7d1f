import type { Round } from '../../../src/agent/round.ts';
import type { Group } from '../../../src/cluster/groups.ts';
import type { GroupView, Snapshot } from '../../../src/cluster/snapshot.ts';
import type { Clock } from './clock.ts';
import type { Machine } from './machine.ts';

/** After a disturbance the promises about every single moment hold again: `timeouts.peer`, `disagree` and a hand-over. */
const CALM_MS = 4000;
/** No longer is a group without an owner in a hand-over by the word. */
const GAP_MS = 100;

/** From a decision to its kernel transaction, and from there to the others' memories. */
const SAME_MOMENT_MS = 8;
/** So long may two such owners last. */
const FOUND_OUT_MS = 400;

/** A promise that was broken, with everything that led to it. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

/** Watches what happens and checks what must hold at every moment. */
export class Watch {
  readonly #clock: Clock;
  readonly #groups: readonly Group[];
  readonly #machines: ReadonlyMap<string, Machine>;
  readonly #isDisturbed: () => boolean;
  readonly #timeline: string[] = [];
  /** Whose states a node holds for a group: known from what happened, not from its memory. */
  readonly #holds = new Map<string, Map<string, string>>();
  readonly #tookAt = new Map<string, number>();
  #disturbedAt = Number.NEGATIVE_INFINITY;

  constructor(
    clock: Clock,
    groups: readonly Group[],
    machines: ReadonlyMap<string, Machine>,
    isDisturbed: () => boolean,
  ) {
    this.#clock = clock;
    this.#groups = groups;
    this.#machines = machines;
    this.#isDisturbed = isDisturbed;
  }

  /** Takes a line down for who reads a failure. */
  note(text: string): void {
    this.#timeline.push(`${this.#clock.now.toFixed(1).padStart(9)} ${text}`);
  }

  fail(promise: string): never {
    throw new BrokenPromise(`${promise}\n${this.#state()}\n${this.#timeline.slice(-120).join('\n')}`);
  }

  /** A message or an agent has gone missing: nobody can know who owns what for a while. */
  disturbed(): void {
    this.#disturbedAt = this.#clock.now;
  }

  get calm(): boolean {
    return !this.#isDisturbed() && this.#clock.now - this.#disturbedAt >= CALM_MS;
  }

  agentStarted(node: string): void {
    this.note(`${node}'s agent starts`);
  }

  lostPower(node: string): void {
    this.#holds.delete(node);
  }

  interrupted(node: string): void {
    this.#holds.delete(node);
  }

  /** What `from` sent has not come to `to` for long. */
  parted(from: string, to: string): void {
    for (const [group, owner] of this.#holds.get(to) ?? []) {
      if (owner === from) {
        this.#holds.get(to)?.delete(group);
      }
    }
  }

  verified(node: string, groups: readonly string[], owner: string): void {
    this.note(`${node} holds ${groups.join(' ')} of ${owner}`);
    for (const group of groups) {
      this.#held(node).set(group, owner);
    }
  }

  gaveTo(node: string, group: string, heir: string | undefined): void {
    if (heir === undefined) {
      this.#held(node).delete(group);
      this.#checkGivenUp(node, group);
      return;
    }
    this.#held(node).set(group, heir);
    if (this.calm) {
      this.#clock.after(GAP_MS, () => {
        const view = this.#machines
          .get(heir)
          ?.agent?.snapshot()
          .groups.find(({ name }) => name === group);
        if (this.calm && view?.wanted?.role === 'owner' && this.owners(group).length === 0) {
          this.fail(`${GAP_MS} ms after ${node} gave ${group} up on a peer's word, nobody owns it`);
        }
      });
    }
  }

  /** A round has been played to its end. */
  played(node: string, round: Round): void {
    for (const { group, kind, reason } of round.decisions) {
      if (kind !== 'stay' && kind !== 'activate' && kind !== 'ask') {
        this.note(`${node}: ${kind} ${group}: ${reason}`);
      }
    }
  }

  /** A round is about to be carried out. */
  decided(node: string, { snapshot, decisions }: Pick<Round, 'snapshot' | 'decisions'>): void {
    for (const { group, kind, peer, reason } of decisions) {
      if (kind !== 'activate' && kind !== 'ask') {
        continue;
      }
      this.note(`${node}: ${kind} ${group}: ${reason}`);
      const view = snapshot.groups.find(({ name }) => name === group);
      if (view === undefined || !mayTake(snapshot, view)) {
        this.fail(`${node} takes ${group}, though nobody wants it to`);
      }
      const { keepalived } = this.#machines.get(node) ?? {};
      const stale = keepalived !== undefined && !keepalived.hasSaidMaster(group);
      if (this.calm && stale && view.wanted?.by === 'keepalived' && view.wanted.role === 'owner') {
        this.fail(`${node} takes ${group} on the word of an earlier keepalived`);
      }
      const seen = snapshot.peers.filter(({ reachable, owns }) => reachable && owns.has(group));
      const owners = peer === undefined ? seen.map(({ name }) => name) : [peer];
      for (const owner of owners.filter((name) => this.#owns(name, group))) {
        const lost = snapshot.peers.find(({ name }) => name === owner)?.lost.size ?? 0;
        if (lost > snapshot.lost.size) {
          continue; // it serves nobody
        }
        if (view.active === 0 && view.wanted?.force !== true && this.#held(node).get(group) !== owner) {
          this.fail(`${node} takes ${group} from ${owner}, whose states it doesn't hold`);
        }
      }
    }
  }

  /** The kernel has changed. */
  changed(
    node: string,
    change: { readonly add: readonly number[]; readonly remove: readonly number[] },
  ): void {
    for (const { name, buckets } of this.#groups) {
      if (buckets.some((bucket) => change.add.includes(bucket))) {
        this.note(`${node} +${name}`);
        this.#held(node).delete(name);
        this.#checkAlone(node, name);
        this.#tookAt.set(`${node} ${name}`, this.#clock.now);
      }
      if (buckets.some((bucket) => change.remove.includes(bucket))) {
        this.note(`${node} -${name}`);
      }
    }
  }

  /** Two that take what nobody owns at the same moment can't know of each other; they must find out soon. */
  #checkAlone(node: string, group: string): void {
    const rival = this.owners(group).find((owner) => owner !== node);
    if (rival === undefined || !this.calm) {
      return;
    }
    const taken = this.#tookAt.get(`${rival} ${group}`) ?? Number.NEGATIVE_INFINITY;
    if (this.#clock.now - taken > SAME_MOMENT_MS) {
      this.fail(`${rival} and ${node} own ${group} at once`);
    }
    this.#clock.after(FOUND_OUT_MS, () => {
      if (this.calm && this.owners(group).includes(node) && this.owners(group).includes(rival)) {
        this.fail(`${rival} and ${node} have owned ${group} at once for ${FOUND_OUT_MS} ms`);
      }
    });
  }

  /** Whoever serves goes on until another does, as long as there is one that could. */
  #checkGivenUp(node: string, group: string): void {
    const snapshot = this.#machines.get(node)?.agent?.snapshot();
    const released = snapshot?.groups.find(({ name }) => name === group)?.wanted?.by === 'operator';
    // One that can't be seen may be the owner whom the manager's word stands for.
    const allSeen = snapshot?.peers.every(({ reachable }) => reachable) ?? false;
    if (this.calm && allSeen && !released && this.owners(group).length === 0) {
      this.fail(`${node} gave ${group} up, though nobody has asked for it`);
    }
  }

  /** The nodes in whose kernel any bucket of the group is active. */
  owners(group: string): readonly string[] {
    return [...this.#machines.keys()].filter((name) => this.#owns(name, group));
  }

  #owns(node: string, group: string): boolean {
    const owned = this.#machines.get(node)?.owned;
    const buckets = this.#groups.find(({ name }) => name === group)?.buckets;
    return buckets?.some((bucket) => owned?.has(bucket)) ?? false;
  }

  #held(node: string): Map<string, string> {
    const held = this.#holds.get(node) ?? new Map<string, string>();
    this.#holds.set(node, held);
    return held;
  }

  #state(): string {
    return [...this.#machines.values()]
      .map((machine) => {
        const words = machine.agent?.round?.decisions.map(
          ({ group, kind, reason }) => `\n    ${group}: ${kind}: ${reason}`,
        );
        const agent =
          machine.agent === undefined ? 'no agent' : machine.agent.process.paused ? 'paused' : 'agent';
        const parts = [
          machine.powered ? 'on' : 'off',
          agent,
          machine.keepalived === undefined ? 'no keepalived' : 'keepalived',
          `owns ${this.#groups.filter(({ name }) => this.#owns(machine.name, name)).map(({ name }) => name)}`,
        ];
        return `  ${machine.name}: ${parts.join(', ')}${(words ?? []).join('')}`;
      })
      .join('\n');
  }
}

/** Somebody wants this node to own it, or there is nobody else and no manager that could say so. */
const mayTake = (snapshot: Snapshot, view: GroupView): boolean =>
  view.wanted?.role === 'owner' ||
  ((view.wanted?.word === 'FAULT' || !snapshot.manager.alive) &&
    snapshot.peers.every(({ reachable }) => !reachable));
