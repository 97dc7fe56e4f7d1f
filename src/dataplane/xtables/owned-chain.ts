import type { ClusterConfig } from '../../config/types.ts';
import { listTable, restore } from './iptables.ts';
import { CHAIN } from './names.ts';
import { ownedRules, parseOwned } from './owned-rules.ts';
import { refilling } from './restore-file.ts';

/** Our rules aren't in the kernel: another program has flushed them, or nobody has loaded them. */
export class ChainMissingError extends Error {
  override readonly name = 'ChainMissingError';

  constructor() {
    super(
      `there is no rule "-A PREROUTING -j ${CHAIN.pre}" in the table mangle: the data plane is not loaded; load it with "conntrack-ha start"`,
    );
  }
}

/** A program is started for every look, and the agent looks ten times a second: nobody else changes them. Milliseconds. */
const FRESH_MS = 1000;

/** The buckets that this node filters, as rules of a chain. They have no timeouts. */
export class OwnedChain {
  readonly #hashing: Pick<ClusterConfig, 'seed' | 'buckets'>;
  /** The last change, or look: they wait for each other. */
  #last: Promise<unknown> = Promise.resolve();
  #known: { readonly owned: ReadonlySet<number>; readonly at: number } | undefined;

  constructor(hashing: Pick<ClusterConfig, 'seed' | 'buckets'>) {
    this.#hashing = hashing;
  }

  /** As they were a second ago, or as this has changed them since. Throws ChainMissingError, ProgramError. */
  read(): Promise<ReadonlySet<number>> {
    return this.#next(() => this.#read());
  }

  /** In one transaction. What is there, or missing, already is no error. Throws as `read` does. */
  change(change: { readonly add: readonly number[]; readonly remove: readonly number[] }): Promise<void> {
    return this.#next(async () => {
      // Our rules may have been loaded again since, with fewer.
      this.#known = undefined;
      const before = await this.#read();
      const owned = new Set([...before, ...change.add].filter((bucket) => !change.remove.includes(bucket)));
      if (owned.size === before.size && [...owned].every((bucket) => before.has(bucket))) return;
      this.#known = undefined;
      await restore(refilling('mangle', { name: CHAIN.owned, rules: ownedRules(this.#hashing, [...owned]) }));
      this.#known = { owned, at: performance.now() };
    });
  }

  /** They stay without it. */
  renew(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    // Nothing is held open.
  }

  async #read(): Promise<ReadonlySet<number>> {
    if (this.#known === undefined || performance.now() - this.#known.at > FRESH_MS) {
      this.#known = undefined;
      const listing = await listTable('mangle');
      if (!listing.split('\n').includes(`-A PREROUTING -j ${CHAIN.pre}`)) throw new ChainMissingError();
      this.#known = { owned: parseOwned(listing), at: performance.now() };
    }
    return this.#known.owned;
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
