import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { type Link, listLinks, openLinkChannel } from '../kernel/links.ts';
import { missingParts } from './missing.ts';
import { isOnDevice, keyOf, type Part, partsOf, partText, type SharedAddress } from './parts.ts';
import { planOf } from './plan.ts';
import { putPart } from './put.ts';
import { seeParts } from './seen.ts';
import { Strays } from './strays.ts';

/** Between two looks at what has nothing to do with interfaces. Milliseconds. */
const SETTINGS_MS = 500;
/** Between two attempts at the same route. */
const ROUTE_MS = 1000;
/** An interface that can't be served for less than that is no reason to give anything up. */
const SPARED_MS = 500;
/** Between two log lines about the same interface, if another program undoes again and again what was mended. */
const QUIET_MS = 10_000;

export interface PartsHost {
  /** Whether the rules were loaded for this interface as it is. */
  readonly isHooked: (link: Link) => boolean;
  /** There is an interface that they weren't loaded for. */
  readonly unhooked: () => void;
  /** Something was put back on an interface. */
  readonly mended: () => void;
  readonly warn: (text: string) => void;
}

/** Why an interface can't be served, and since when. */
interface Trouble {
  readonly since: number;
  readonly what: string;
}

/**
 * Compares what `start` has put into the kernel beside its rules with what is there, and mends it. An interface that was made again
 * gets nothing before it has its rules: else it would answer for the shared addresses, and nothing would sort what it is sent.
 */
export class PartsWatch {
  readonly #parts: readonly Part[];
  readonly #host: PartsHost;
  readonly #channel = openLinkChannel();
  readonly #strays: Strays;
  /** When each part was last as it should be. */
  readonly #rightAt = new Map<string, number>();
  readonly #loggedAt = new Map<string, number>();
  readonly #routedAt = new Map<string, number>();
  #troubles: ReadonlyMap<string, Trouble> = new Map();
  #settingsAt = Number.NEGATIVE_INFINITY;
  #failures: readonly string[] = [];

  constructor(config: ClusterConfig, node: NodeConfig, host: PartsHost) {
    this.#parts = partsOf(planOf(config, node));
    this.#strays = new Strays(this.#parts);
    this.#host = host;
  }

  /** What couldn't be mended, a sentence each, for `status`. */
  get warnings(): readonly string[] {
    return this.#failures;
  }

  /** How the sentence `eth1 ...` goes on if the interface can't be served, and whether that is so for a while; undefined: it can. */
  problem(device: string): { readonly what: string; readonly lasting: boolean } | undefined {
    const trouble = this.#troubles.get(device);
    return trouble && { what: trouble.what, lasting: performance.now() - trouble.since >= SPARED_MS };
  }

  /**
   * Mends what is missing; what fails is said, and tried again at the next look. Returns the interfaces as they were before. Throws
   * what `seeParts` throws.
   */
  async look(): Promise<readonly Link[]> {
    const now = performance.now();
    const settings = now - this.#settingsAt >= SETTINGS_MS;
    if (settings) this.#settingsAt = now;
    const parts = this.#parts.filter((part) => settings || isOnDevice(part));
    const seen = await seeParts(parts, this.#channel);
    const failures = new Map<Part | undefined, string>();
    for (const note of await this.#takeStrays(seen.links, failures)) this.#host.warn(note);
    const unhooked = seen.links.filter((link) => this.#isOurs(link.name) && !this.#host.isHooked(link));
    if (unhooked.length > 0) this.#host.unhooked();
    const hooked = (part: Part): boolean =>
      !isOnDevice(part) || !unhooked.some(({ name }) => name === part.device);
    const missing = missingParts(parts, seen);
    const due = missing.filter((part) => hooked(part) && this.#isDue(part, now));
    for (const part of due) await this.#put(part, seen.links, failures);
    const mended = due.filter((part) => part.kind !== 'way' && !failures.has(part));
    this.#note(mended, now);
    for (const part of parts.filter((one) => !missing.includes(one))) this.#rightAt.set(keyOf(part), now);
    const troubles = new Map<string, string>(unhooked.map(({ name }) => [name, 'has no rules yet']));
    for (const part of due.filter(isOnDevice)) {
      if (part.kind !== 'way' && failures.has(part))
        troubles.set(part.device, `has no ${partText(part)}, which can't be put back`);
    }
    this.#troubles = new Map(
      [...troubles].map(([device, what]) => [
        device,
        { what, since: this.#troubles.get(device)?.since ?? now },
      ]),
    );
    this.#complain(await this.#lasting(failures, seen.links));
    if (mended.some(isOnDevice)) this.#host.mended();
    return seen.links;
  }

  close(): void {
    this.#channel.close();
  }

  #isOurs(device: string): boolean {
    return this.#parts.some((part) => isOnDevice(part) && part.device === device);
  }

  async #takeStrays(
    links: readonly Link[],
    failures: Map<Part | undefined, string>,
  ): Promise<readonly string[]> {
    try {
      return await this.#strays.take(links);
    } catch (error) {
      failures.set(
        undefined,
        `an interface that has another name now still has shared addresses: ${textOf(error)}`,
      );
      return [];
    }
  }

  /** Where another route, a more exact one, leads elsewhere ours changes nothing: that is the administrator's affair. */
  #isDue(part: Part, now: number): boolean {
    if (part.kind !== 'way') return true;
    const due = now - (this.#routedAt.get(part.network) ?? Number.NEGATIVE_INFINITY) >= ROUTE_MS;
    if (due) this.#routedAt.set(part.network, now);
    return due;
  }

  async #put(part: Part, links: readonly Link[], failures: Map<Part | undefined, string>): Promise<void> {
    try {
      await putPart(part.kind === 'address' ? onSame(part, links) : part);
    } catch (error) {
      const place = isOnDevice(part) ? ` on ${part.device}` : '';
      failures.set(part, `${partText(part)}${place} is missing and can't be put back: ${textOf(error)}`);
    }
  }

  /** Nothing is to be said of an interface that went, came, or was set up or down meanwhile: the next look sees it as it is then. */
  async #lasting(
    failures: ReadonlyMap<Part | undefined, string>,
    before: readonly Link[],
  ): Promise<readonly string[]> {
    if (failures.size === 0) return [];
    const now = await listLinks(this.#channel);
    const stateOf = (links: readonly Link[], device: string): string => {
      const link = links.find(({ name }) => name === device);
      return `${link?.index} ${link?.up}`;
    };
    return [...failures]
      .filter(
        ([part]) =>
          part === undefined ||
          !isOnDevice(part) ||
          stateOf(before, part.device) === stateOf(now, part.device),
      )
      .map(([, failure]) => failure);
  }

  /** A line for each interface, with what was missing and how long. */
  #note(mended: readonly Part[], now: number): void {
    const placeOf = (part: Part): string => (isOnDevice(part) ? part.device : 'sysctl');
    for (const place of new Set(mended.map(placeOf))) {
      const parts = mended.filter((part) => placeOf(part) === place);
      const since = Math.min(...parts.map((part) => this.#rightAt.get(keyOf(part)) ?? now));
      if (now - (this.#loggedAt.get(place) ?? Number.NEGATIVE_INFINITY) >= QUIET_MS) {
        this.#loggedAt.set(place, now);
        const long = since === now ? '' : ` for up to ${Math.ceil((now - since) / 100) / 10} s`;
        this.#host.warn(`${place}: ${parts.map(partText).join(', ')} was missing${long}; put back`);
      }
    }
  }

  /** Once for each new reason. */
  #complain(failures: readonly string[]): void {
    for (const failure of failures.filter((one) => !this.#failures.includes(one))) this.#host.warn(failure);
    this.#failures = failures;
  }
}

/**
 * An address goes to the interface that was seen and no other: one that was made in its place meanwhile has no rules yet. `ip` takes
 * `if7` for the interface with index 7 (ll_idx_a2n() in iproute2's lib/ll_map.c).
 */
const onSame = (part: SharedAddress, links: readonly Link[]): SharedAddress => {
  const link = links.find(({ name }) => name === part.device);
  return link === undefined ? part : { ...part, device: `if${link.index}` };
};

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
