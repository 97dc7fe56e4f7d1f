import type { ClusterConfig } from '../config/types.ts';
import { type Link, listLinks, openLinkChannel } from '../kernel/links.ts';
import { changeOf, goneOf, type Hooked, hookedNow } from './hooked.ts';
import type { Plan } from './plan.ts';
import { readRecord } from './record.ts';

/** How an interface stands to the rules. */
export type Hook = 'right' | 'stale' | 'none';

/** Knows which interfaces the rules in the kernel were loaded for, and notices that one was made again since. */
export class HookWatch {
  readonly #config: ClusterConfig;
  readonly #plan: Plan;
  readonly #channel = openLinkChannel();
  /** Undefined: not known yet. */
  #hooked: Hooked | undefined;

  constructor(config: ClusterConfig, plan: Plan) {
    this.#config = config;
    this.#plan = plan;
  }

  /** All interfaces of this machine. Throws what `listLinks` of kernel/links.ts throws. */
  links(): Promise<readonly Link[]> {
    return listLinks(this.#channel);
  }

  /**
   * Whether the rules were loaded for this interface, and not for another that had its name; `stale`: while it had another MAC. What
   * isn't known yet is taken for right.
   */
  hookOf({ name, index, mac }: Link): Hook {
    const hooked = this.#hooked?.[name];
    if (this.#hooked === undefined) return 'right';
    if (hooked?.index !== index) return 'none';
    return hooked.mac === mac ? 'right' : 'stale';
  }

  /** What has become of the interfaces, in a few words; undefined: nothing. Throws what `links` throws, RecordError. */
  async change(): Promise<string | undefined> {
    const now = await hookedNow(this.#plan, await this.links());
    if (this.#hooked !== undefined && changeOf(this.#hooked, now) === undefined) return undefined;
    // Another process may have loaded them: the record tells.
    this.#hooked = (await readRecord(this.#config))?.hooked ?? {};
    return changeOf(this.#hooked, now);
  }

  /** Which of the interfaces that they were loaded for are gone, or others by now, in a few words; undefined: none. Throws what `links` throws. */
  async gone(): Promise<string | undefined> {
    return goneOf(this.#hooked ?? {}, await hookedNow(this.#plan, await this.links()));
  }

  /** The rules were loaded while these were the interfaces. Returns what the record keeps of it. */
  async loadedFor(links: readonly Link[]): Promise<Hooked> {
    this.#hooked = await hookedNow(this.#plan, links);
    return this.#hooked;
  }

  close(): void {
    this.#channel.close();
  }
}
