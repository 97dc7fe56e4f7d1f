import type { Copies } from '../transitions/copies.ts';
import { type Verification, verify } from '../transitions/verify.ts';
import type { OwnerPeer } from './replicas.ts';
import type { UpkeepHost, UpkeepTimes } from './upkeep-host.ts';

/** How often it is looked whether the peer is still there. */
const LOOK_MS = 100;

export interface ComparisonsHost
  extends Pick<UpkeepHost, 'owners' | 'listOf' | 'comparing' | 'verified' | 'reach' | 'done'> {
  /** This node's copies of what the peer owns. */
  readonly copiesOf: (peer: OwnerPeer) => Copies;
  /** Called between two comparisons of a verification that takes long. */
  readonly meanwhile: (signal: AbortSignal) => Promise<unknown>;
  /** Ends the job under way. */
  readonly interrupt: () => void;
}

/** When each owner was compared with last, and the next comparison. */
export class Comparisons {
  readonly #host: ComparisonsHost;
  readonly #times: Pick<UpkeepTimes, 'verify' | 'verifyBound'>;
  readonly #last = new Map<string, number>();
  /** When the last comparison with each owner ended, whether or not it counts. */
  readonly #ended = new Map<string, number>();
  /** When this node looked last, while there was nobody to compare with. */
  #alone = Number.NEGATIVE_INFINITY;
  /** Counts what a verification under way can't have seen. */
  #missed = 0;

  constructor(host: ComparisonsHost, times: Pick<UpkeepTimes, 'verify' | 'verifyBound'>) {
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
    return owners
      .filter(({ name }) => now - (this.#last.get(name) ?? -Infinity) >= this.#times.verify)
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
    this.#host.reach('rejoin.verify');
    // A dead peer's connection says nothing for long, and the others wait behind it.
    const watch = setInterval(() => {
      if (!this.#host.owners().some(({ name }) => name === peer.name)) {
        this.#host.interrupt();
      }
    }, LOOK_MS);
    const result = await verify(
      this.#host.copiesOf(peer),
      () => this.#host.listOf(peer, signal),
      this.#times.verifyBound,
      signal,
      {
        meanwhile: () => this.#host.meanwhile(signal),
        progressed: (progress) => this.#host.comparing(peer, progress),
      },
    ).finally(() => {
      clearInterval(watch);
      this.#ended.set(peer.name, performance.now());
      this.#host.comparing(peer, undefined);
    });
    if (missed === this.#missed) {
      this.#last.set(peer.name, performance.now());
    }
    if (result.synced) {
      this.#host.done('rejoin.verify');
    }
    this.#host.verified(peer, result);
    return result;
  }

  #endedAt({ name }: OwnerPeer): number {
    return this.#ended.get(name) ?? 0;
  }
}
