import { Nftables } from '../kernel/nftables.ts';
import { OWNED, OWNED_SETS } from './owned.ts';

/** The buckets that this node filters, in the kernel. Errors as of `Nftables`. */
export class OwnedSets {
  readonly #nftables = new Nftables();
  readonly #lease: number;

  /** @param lease milliseconds that a bucket stays without being renewed; 0: for ever */
  constructor(lease = 0) {
    this.#lease = lease;
  }

  async read(): Promise<ReadonlySet<number>> {
    return new Set(await this.#nftables.elements(OWNED));
  }

  /** In one transaction, which is done wholly or not at all. What is there, or missing, already is no error. */
  change(change: { readonly add: readonly number[]; readonly remove: readonly number[] }): Promise<void> {
    return this.#nftables.changeAll(OWNED_SETS.map((set) => ({ set, ...change, timeout: this.#lease })));
  }

  /** Has what is there of `buckets` stay for the length of the lease from now on; adds nothing. */
  async renew(buckets: readonly number[]): Promise<void> {
    await this.#nftables.renewAll(OWNED_SETS, buckets, this.#lease);
  }

  close(): void {
    this.#nftables.close();
  }
}
