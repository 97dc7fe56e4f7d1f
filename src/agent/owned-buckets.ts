import type { Group } from '../cluster/groups.ts';
import type { OwnedSet } from '../transitions/edges.ts';

/** The buckets that are active in this node's kernel: as last read, and as this agent has changed them since. */
export class OwnedBuckets {
  readonly #groups: readonly Group[];
  readonly #set: Pick<OwnedSet, 'read'>;
  readonly #vanished: () => void;
  readonly #opened: () => void;
  #now: ReadonlySet<number> = new Set();
  #known = false;

  /**
   * @param vanished is told when buckets are gone that this agent hasn't taken out
   * @param opened is told when there are some where there was none, or none that this agent knew of
   */
  constructor(
    groups: readonly Group[],
    set: Pick<OwnedSet, 'read'>,
    vanished: () => void,
    opened: () => void,
  ) {
    this.#groups = groups;
    this.#set = set;
    this.#vanished = vanished;
    this.#opened = opened;
  }

  /** Whether the kernel's set has been read. Before, nothing can be said about what this node owns. */
  get known(): boolean {
    return this.#known;
  }

  get now(): ReadonlySet<number> {
    return this.#now;
  }

  has(bucket: number): boolean {
    return this.#now.has(bucket);
  }

  /** The groups of which any bucket is active. */
  get groups(): readonly string[] {
    return this.#groups
      .filter(({ buckets }) => buckets.some((bucket) => this.#now.has(bucket)))
      .map(({ name }) => name);
  }

  async read(): Promise<ReadonlySet<number>> {
    const before = this.#now;
    const owned = await this.#set.read();
    this.#known = true;
    this.#become(owned);
    if ([...before].some((bucket) => !owned.has(bucket))) {
      this.#vanished();
    }
    return owned;
  }

  /** What the batches look up changes with the kernel, not with the next round's reading. */
  changed(groups: readonly string[], active: boolean): void {
    const owned = new Set(this.#now);
    for (const group of groups) {
      for (const bucket of this.#groups.find(({ name }) => name === group)?.buckets ?? []) {
        active ? owned.add(bucket) : owned.delete(bucket);
      }
    }
    this.#become(owned);
  }

  #become(owned: ReadonlySet<number>): void {
    const closed = this.#now.size === 0;
    this.#now = owned;
    if (closed && owned.size > 0) {
      this.#opened();
    }
  }
}
