import { type ClusterConfig, deviceOf, type NodeConfig } from '../config/types.ts';
import { type Link, listLinks, openLinkChannel } from '../kernel/links.ts';
import type { PartsWatch } from './parts-watch.ts';
import { Probe } from './probe.ts';

const LOOK_MS = 100;

interface Watched {
  readonly name: string;
  readonly device: string;
  readonly probe: Probe | undefined;
}

/** What the data plane has put on the interfaces. */
export type WatchedParts = Pick<PartsWatch, 'look' | 'problem'>;

interface Loss {
  readonly name: string;
  readonly reason: string;
}

/** Watches whether this node still reaches the networks that the nodes share. The sync link is not one of them. */
export class LinkWatch {
  readonly #watched: readonly Watched[];
  readonly #changed: () => void;
  readonly #channel = openLinkChannel();
  readonly #parts: WatchedParts | undefined;
  #links: readonly Link[] | undefined;
  #losses: readonly Loss[] = [];
  #lastLook = performance.now();
  #timer: NodeJS.Timeout | undefined;
  /** The look that is under way, or the last. */
  #looking: Promise<void> = Promise.resolve();
  #closed = false;

  /**
   * Begins to look, ten times a second.
   *
   * @param changed called after `lost` has become another list; the first look is later than the constructor's end
   * @param options.note called with a sentence about a probe that can't be asked, once for each
   * @param options.parts mended at each look; an interface that hasn't what it needs counts as lost
   */
  constructor(
    config: ClusterConfig,
    node: NodeConfig,
    changed: () => void,
    options: { readonly note?: (text: string) => void; readonly parts?: WatchedParts } = {},
  ) {
    const note = options.note ?? (() => undefined);
    const shared = config.interfaces.flatMap(({ addresses, snat }) => [
      ...addresses.map(({ address }) => address),
      ...snat,
    ]);
    this.#changed = changed;
    this.#parts = options.parts;
    this.#watched = config.interfaces.map(({ name, probe: address }) => {
      const device = deviceOf(node, name);
      const probe = address === undefined ? undefined : new Probe({ name, device, address, shared, note });
      return { name, device, probe };
    });
    void this.lookNow();
  }

  /** The interfaces that are lost now, by the configuration's names, in its order. None before the first look. */
  get lost(): readonly string[] {
    return this.#losses.map(({ name }) => name);
  }

  /** Why, a sentence each: `eth1 has no carrier`. In the order of `lost`. */
  get reasons(): readonly string[] {
    return this.#losses.map(({ reason }) => reason);
  }

  /** Looks at once, after the look that is under way. Resolves when that is done. */
  lookNow(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  /** Ends the watch; `lost` stays as it is, and `changed` is not called any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#channel.close();
    for (const { probe } of this.#watched) {
      probe?.close();
    }
  }

  async #look(): Promise<void> {
    if (this.#closed) {
      return;
    }
    const began = performance.now();
    clearTimeout(this.#timer);
    const links = await (this.#parts?.look() ?? listLinks(this.#channel)).catch(() => this.#links);
    if (this.#closed) {
      return;
    }
    const passed = Math.min(began - this.#lastLook, 2 * LOOK_MS);
    this.#lastLook = began;
    this.#links = links;
    for (const { probe } of this.#watched) {
      probe?.watched(passed);
    }
    this.#timer = setTimeout(() => void this.lookNow(), Math.max(0, began + LOOK_MS - performance.now()));
    if (links !== undefined) {
      this.#judge(links);
    }
  }

  #judge(links: readonly Link[]): void {
    const before = this.lost.join();
    this.#losses = this.#watched.flatMap((one): readonly Loss[] => {
      const problem =
        linkProblem(links.find(({ name }) => name === one.device)) ??
        this.#partsProblem(one) ??
        one.probe?.problem;
      const label = one.name === one.device ? one.name : `${one.name} (${one.device})`;
      return problem === undefined ? [] : [{ name: one.name, reason: `${label} ${problem}` }];
    });
    if (this.lost.join() !== before) {
      this.#changed();
    }
  }

  /** What is mended at once is no loss; but what was lost is so until it is whole. */
  #partsProblem({ name, device }: Watched): string | undefined {
    const problem = this.#parts?.problem(device);
    return problem?.lasting || this.lost.includes(name) ? problem?.what : undefined;
  }
}

/** How the sentence `eth1 ...` goes on; undefined if all is well. */
const linkProblem = (link: Link | undefined): string | undefined => {
  if (link === undefined) {
    return 'is missing';
  }
  if (!link.up) {
    return 'is down';
  }
  return link.carrier ? undefined : 'has no carrier';
};
