import { disown } from '../transitions/disown.ts';
import type { Edges } from '../transitions/edges.ts';
import type { Touching } from './touching.ts';
import type { UpkeepHost } from './upkeep-host.ts';

type Host = Pick<UpkeepHost, 'reach' | 'done' | 'note'> & {
  /** A conntrackd that was started anew has loaded the whole table, copies included; or it has gone. */
  readonly restarted: () => void;
  /** Owned flows were just touched. */
  readonly touched: () => void;
};

/** Has conntrackd's internal cache hold this node's own flows and no others. */
export class InternalCache {
  readonly #edges: Edges;
  readonly #touching: Pick<Touching, 'run'>;
  readonly #host: Host;
  #identity: string | undefined;
  /** It may hold flows that this node doesn't own. */
  #dirty = true;
  /** Owned flows may be missing in it. */
  #unadopted = true;
  #disowning = false;
  #adopting = false;

  constructor(edges: Edges, touching: Pick<Touching, 'run'>, host: Host) {
    this.#edges = edges;
    this.#touching = touching;
    this.#host = host;
  }

  /** It holds the owned flows and no others. */
  get exact(): boolean {
    return this.sendable && !this.#adopting;
  }

  /** A bulk of it harms nobody, and replicas get all: what isn't in it yet is about to be touched, which sends it. */
  get sendable(): boolean {
    return !this.#dirty && !this.#unadopted && this.#identity !== undefined;
  }

  /** Whether it may hold flows that this node doesn't own. */
  get dirty(): boolean {
    return this.#dirty;
  }

  /** Whether conntrackd is asked to forget what is not owned just now. */
  get disowning(): boolean {
    return this.#disowning;
  }

  /** Flows that this node doesn't own have come in, or do so soon. */
  soil(): void {
    this.#dirty = true;
  }

  /** This node owns more than before. */
  grow(): void {
    this.#unadopted = true;
  }

  /** Looks which conntrackd runs. Returns whether one does. */
  async look(): Promise<boolean> {
    const identity = await this.#edges.cache.identity();
    if (identity !== this.#identity) {
      // That it is gone or back is told by who watches its health; one that was just replaced isn't noticed there.
      const replaced = this.#identity !== undefined && identity !== undefined;
      this.#identity = identity;
      this.#dirty = true;
      this.#unadopted = true;
      this.#host.restarted();
      this.#host.note(replaced ? 'info' : 'debug', 'conntrackd was started anew: disowning');
    }
    return identity !== undefined;
  }

  /** Does what is due. Returns whether anything was. */
  async work(signal: AbortSignal, rejoining: boolean): Promise<boolean> {
    if (this.#dirty) {
      await this.#disown(signal, rejoining);
    } else if (this.#unadopted) {
      await this.#adoptAll(signal);
    } else {
      return false;
    }
    return true;
  }

  async #disown(signal: AbortSignal, rejoining: boolean): Promise<void> {
    const identity = this.#identity;
    this.#host.reach(rejoining ? 'rejoin.disown' : 'release.disown');
    this.#disowning = true;
    const drained = await disown(this.#edges, signal).finally(() => {
      this.#disowning = false;
    });
    if (!signal.aborted && (await this.#edges.cache.identity()) === identity) {
      this.#dirty = false;
      this.#unadopted = true;
      this.#host.done('release.disown');
      this.#host.done('rejoin.disown');
      this.#host.note(
        drained ? 'debug' : 'warn',
        drained ? 'disowned' : 'disowned, though not all was sent yet',
      );
    }
  }

  async #adoptAll(signal: AbortSignal): Promise<void> {
    this.#unadopted = false;
    this.#adopting = true;
    const began = performance.now();
    this.#host.reach('takeover.adopt');
    try {
      const touched = await this.#touching.run(signal);
      this.#unadopted ||= signal.aborted;
      if (!this.#unadopted) {
        this.#host.done('takeover.adopt');
      }
      this.#host.touched();
      this.#host.note('debug', `adopted ${touched} flows in ${(performance.now() - began).toFixed(0)} ms`);
    } catch (error) {
      this.#unadopted = true;
      throw error;
    } finally {
      this.#adopting = false;
    }
  }
}
