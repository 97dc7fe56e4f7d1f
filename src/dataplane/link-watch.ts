import { type ClusterConfig, deviceOf, type NodeConfig } from '../config/types.ts';
import { type Link, listLinks, openLinkChannel } from '../kernel/links.ts';
import type { PartsWatch } from './parts-watch.ts';
import { Probe } from './probe.ts';

/** Between two looks at the links; two nodes that lose the same one see it within that of each other. */
const LOOK_MS = 50;
/** Between two looks at what is on the interfaces. */
const MEND_MS = 100;

interface Watched {
  readonly name: string;
  readonly device: string;
  readonly probe: Probe | undefined;
}

/** What the data plane has put on the interfaces. */
export type WatchedParts = Pick<PartsWatch, 'look' | 'problem'>;

/** Who knows whether frames to the shared MACs come in on the legs. */
export interface WatchedLegs {
  /** Called at each look. */
  readonly look: (links: readonly Link[]) => void;
  /** How the sentence `eth1 ...` goes on, by the configuration's name; undefined: it hears its peers, or nobody can know. */
  readonly problem: (name: string) => string | undefined;
}

interface Loss {
  readonly name: string;
  /** How the sentence `eth1 ...` goes on. */
  readonly problem: string;
  readonly reason: string;
  readonly deaf: boolean;
}

/** Watches whether this node still reaches the networks that the nodes share. The sync link is not one of them. */
export class LinkWatch {
  readonly #watched: readonly Watched[];
  readonly #changed: () => void;
  readonly #channel = openLinkChannel();
  readonly #parts: WatchedParts | undefined;
  readonly #legs: WatchedLegs | undefined;
  #links: readonly Link[] | undefined;
  #losses: readonly Loss[] = [];
  #lastLook = performance.now();
  #timer: NodeJS.Timeout | undefined;
  /** Since when each interface has been there, up and with a carrier, by its device. */
  readonly #upSince = new Map<string, number>();
  /** The look at the parts that is under way: it may take longer than one at the links, which doesn't wait for it. */
  #mending: Promise<void> | undefined;
  /** When the last one began, and the last that has come to its end. */
  #mendBegan = Number.NEGATIVE_INFINITY;
  #mendedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  /**
   * Begins to look, twenty times a second.
   *
   * @param changed called after `lost` or `deaf` has become another list; the first look is later than the constructor's end
   * @param options.note called with a sentence about a probe that can't be asked, once for each
   * @param options.parts mended at each look; an interface that hasn't what it needs counts as lost
   * @param options.legs one that is deaf counts as lost too
   */
  constructor(
    config: ClusterConfig,
    node: NodeConfig,
    changed: () => void,
    options: {
      readonly note?: (text: string) => void;
      readonly parts?: WatchedParts;
      readonly legs?: WatchedLegs;
    } = {},
  ) {
    const note = options.note ?? (() => undefined);
    const shared = config.interfaces.flatMap(({ addresses, snat }) => [
      ...addresses.map(({ address }) => address),
      ...snat,
    ]);
    this.#changed = changed;
    this.#parts = options.parts;
    this.#legs = options.legs;
    this.#watched = config.interfaces.map(({ name, probe: address }) => {
      const device = deviceOf(node, name);
      const probe = address === undefined ? undefined : new Probe({ name, device, address, shared, note });
      return { name, device, probe };
    });
    void this.#look();
  }

  /** The interfaces that are lost now, by the configuration's names, in its order. None before the first look. */
  get lost(): readonly string[] {
    return this.#losses.map(({ name }) => name);
  }

  /** Why, a sentence each: `eth1 has no carrier`. In the order of `lost`. */
  get reasons(): readonly string[] {
    return this.#losses.map(({ reason }) => reason);
  }

  /** Those of `lost` to which nothing is delivered, though all is well with them on this node. */
  get deaf(): readonly string[] {
    return this.#losses.filter(({ deaf }) => deaf).map(({ name }) => name);
  }

  /** Has whatever is missing on the interfaces mended at once. Resolves when that is done. */
  async mendNow(): Promise<void> {
    while (this.#mending !== undefined) {
      await this.#mending;
    }
    await this.#mend();
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
    const began = performance.now();
    const links = await listLinks(this.#channel).catch(() => this.#links);
    if (this.#closed) {
      return;
    }
    const passed = Math.min(began - this.#lastLook, 2 * LOOK_MS);
    this.#lastLook = began;
    this.#links = links;
    for (const { device, probe } of this.#watched) {
      probe?.watched(passed);
      const problem = linkProblem(links?.find(({ name }) => name === device));
      if (problem !== undefined) {
        this.#upSince.delete(device);
      } else if (!this.#upSince.has(device)) {
        this.#upSince.set(device, performance.now());
      }
    }
    this.#timer = setTimeout(() => void this.#look(), Math.max(0, began + LOOK_MS - performance.now()));
    this.#legs?.look(links ?? []);
    this.#judge();
    if (this.#mending === undefined && performance.now() - this.#mendBegan >= MEND_MS) {
      void this.#mend();
    }
  }

  #mend(): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined || this.#closed) {
      return Promise.resolve();
    }
    const began = performance.now();
    this.#mendBegan = began;
    this.#mending = parts
      .look()
      .then(
        () => {
          this.#mendedAt = began;
        },
        // It says so itself.
        () => {},
      )
      .then(() => {
        this.#mending = undefined;
        this.#judge();
      });
    return this.#mending;
  }

  #judge(): void {
    const links = this.#links;
    if (links === undefined || this.#closed) {
      return;
    }
    const before = `${this.lost}/${this.deaf}`;
    this.#losses = this.#watched.flatMap((one): readonly Loss[] => {
      const { name, device } = one;
      const known =
        linkProblem(links.find((link) => link.name === device)) ??
        this.#partsProblem(one) ??
        one.probe?.problem;
      const problem = known ?? this.#legs?.problem(name);
      const label = name === device ? name : `${name} (${device})`;
      return problem === undefined
        ? []
        : [{ name, problem, reason: `${label} ${problem}`, deaf: known === undefined }];
    });
    if (`${this.lost}/${this.deaf}` !== before) {
      this.#changed();
    }
  }

  /** What is mended at once is no loss; but what was lost is so until it has been looked at since, and is whole. */
  #partsProblem({ name, device }: Watched): string | undefined {
    if (this.#parts === undefined) {
      return undefined;
    }
    const problem = this.#parts.problem(device);
    const loss = this.#losses.find((one) => one.name === name);
    if (loss === undefined) {
      return problem?.lasting ? problem.what : undefined;
    }
    const looked = this.#mendedAt >= (this.#upSince.get(device) ?? Number.POSITIVE_INFINITY);
    return looked ? problem?.what : loss.problem;
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
