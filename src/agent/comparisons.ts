import type { Copies } from '../transitions/copies.ts';
import { LATE_MS, type Verification, verify } from '../transitions/verify.ts';
import type { OwnerPeer } from './replicas.ts';
import type { UpkeepHost, UpkeepTimes } from './upkeep-host.ts';

/** How often it is looked whether the peer is still there. */
const LOOK_MS = 100;
/** How long flows that the kernel refuses must be missing to be late. */
const REFUSED_MS = 3000;

export interface ComparisonsHost
  extends Pick<
    UpkeepHost,
    'owners' | 'listOf' | 'comparing' | 'verified' | 'unverifiable' | 'fit' | 'refusing' | 'reach' | 'done'
  > {
  /** This node's copies of what the peer owns. */
  readonly copiesOf: (peer: OwnerPeer) => Copies;
  /** Called between two comparisons of a verification that takes long. */
  readonly meanwhile: (signal: AbortSignal) => Promise<unknown>;
  /** Ends the job under way. */
  readonly interrupt: () => void;
}

type ComparisonTimes = Pick<UpkeepTimes, 'verify' | 'verifyBound' | 'unverifiable'>;

/** When each owner was compared with last, and the next comparison. */
export class Comparisons {
  readonly #host: ComparisonsHost;
  readonly #times: ComparisonTimes;
  readonly #last = new Map<string, { readonly ended: number; readonly took: number }>();
  /** When the last comparison with each owner ended, whether or not it counts. */
  readonly #ended = new Map<string, number>();
  /** Since when each peer could not be compared with, though it was tried again and again. */
  readonly #failing = new Map<string, number>();
  /** When this node looked last, while there was nobody to compare with. */
  #alone = Number.NEGATIVE_INFINITY;
  /** Counts what a verification under way can't have seen. */
  #missed = 0;

  constructor(host: ComparisonsHost, times: ComparisonTimes) {
    this.#host = host;
    this.#times = times;
  }

  /** The next comparison with a peer, with all if undefined, is due at once; one under way can't count as it. */
  soon(peer?: string): void {
    this.forget(peer);
    this.#missed += 1;
  }

  /** The next one is due at once. */
  forget(peer?: string): void {
    if (peer === undefined) {
      this.#last.clear();
      this.#alone = Number.NEGATIVE_INFINITY;
    } else {
      this.#last.delete(peer);
    }
  }

  /** Of the owners that a comparison is due with, the one whose turn was the longest ago. */
  due(owners: readonly OwnerPeer[], now: number): OwnerPeer | undefined {
    for (const name of this.#failing.keys()) {
      if (!owners.some((owner) => owner.name === name)) {
        this.#failing.delete(name);
      }
    }
    return owners
      .filter(({ name }) => {
        const last = this.#last.get(name);
        return last === undefined || now - last.ended >= waitAfter(last.took, this.#times.verify);
      })
      .toSorted((one, other) => this.#endedAt(one) - this.#endedAt(other))[0];
  }

  /** Whether a look without a peer is due; then it counts as done. */
  takeAlone(now: number): boolean {
    const due = now - this.#alone >= this.#times.verify;
    this.#alone = due ? now : this.#alone;
    return due;
  }

  async verify(peer: OwnerPeer, signal: AbortSignal): Promise<Verification> {
    const missed = this.#missed;
    const began = performance.now();
    this.#host.reach('rejoin.verify');
    const result = await this.#compare(peer, signal, began);
    this.#failing.delete(peer.name);
    if (missed === this.#missed) {
      const ended = performance.now();
      this.#last.set(peer.name, { ended, took: ended - began });
    }
    if (result.synced) {
      this.#host.done('rejoin.verify');
    }
    this.#host.verified(peer, result);
    return result;
  }

  async #compare(peer: OwnerPeer, signal: AbortSignal, began: number): Promise<Verification> {
    /** Since when the peer hasn't begun its list; undefined: it has. */
    let asked: number | undefined;
    const watch = setInterval(() => {
      // A dead peer's connection says nothing for long, and the others wait behind it.
      if (!this.#host.fit() || !this.#host.owners().some(({ name }) => name === peer.name)) {
        this.#host.interrupt();
      } else if (asked !== undefined) {
        this.#fails(peer, this.#failing.get(peer.name) ?? asked, 'it sends no list of its flows');
      }
    }, LOOK_MS);
    try {
      return await verify(
        this.#host.copiesOf(peer),
        () => {
          asked = performance.now();
          return this.#host.listOf(peer, signal);
        },
        this.#times.verifyBound,
        signal,
        {
          meanwhile: () => this.#host.meanwhile(signal),
          progressed: (progress) => {
            asked = undefined;
            this.#host.comparing(peer, progress);
          },
          patience: () => (this.#host.refusing() ? REFUSED_MS : LATE_MS),
        },
      );
    } catch (error) {
      if (!signal.aborted) {
        const since = this.#failing.get(peer.name) ?? began;
        this.#failing.set(peer.name, since);
        this.#fails(peer, since, error instanceof Error ? error.message : String(error));
      }
      throw error;
    } finally {
      clearInterval(watch);
      this.#ended.set(peer.name, performance.now());
      this.#host.comparing(peer, undefined);
    }
  }

  /** Told again and again, so that who is told may forget. */
  #fails(peer: OwnerPeer, since: number, reason: string): void {
    if (performance.now() - since >= this.#times.unverifiable) {
      this.#host.unverifiable(peer, reason);
    }
  }

  #endedAt({ name }: OwnerPeer): number {
    return this.#ended.get(name) ?? 0;
  }
}

/**
 * Milliseconds from the end of a comparison to the next one: less after one that took long, so that the next is over before
 * two periods are, after which what was found counts no more.
 */
const waitAfter = (took: number, period: number): number =>
  Math.min(period, Math.max(0, 2 * period - 1.5 * took));
