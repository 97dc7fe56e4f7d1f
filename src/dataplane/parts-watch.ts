import type { Warning } from '../cluster/warning.ts';
import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { type Link, linkExists, openLinkChannel } from '../kernel/links.ts';
import type { Hook } from './hook-watch.ts';
import { isThere, misplacedAddresses, missingParts } from './missing.ts';
import { PartFailures, SPARED_MS } from './part-failures.ts';
import { type DevicePart, isOnDevice, keyOf, type Part, partsOf, partText } from './parts.ts';
import { planOf } from './plan.ts';
import { putPart, takePart } from './put.ts';
import { seeParts } from './seen.ts';
import { Strays } from './strays.ts';

/** Between two looks at what has nothing to do with interfaces. Milliseconds. */
const SETTINGS_MS = 500;
/** Between two attempts at the same route. */
const ROUTE_MS = 1000;
/** Between two log lines about the same interface, if another program undoes again and again what was mended. */
const QUIET_MS = 10_000;

export interface PartsHost {
  readonly hookOf: (link: Link) => Hook;
  /** There is an interface that the rules weren't loaded for as it is. */
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

/** By which failures are known that are no part's. */
const STRAYS = 'strays';
const LOOK = 'look';

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
  readonly #failures: PartFailures;

  constructor(config: ClusterConfig, node: NodeConfig, host: PartsHost) {
    this.#parts = partsOf(planOf(config, node));
    this.#strays = new Strays(this.#parts);
    this.#host = host;
    this.#failures = new PartFailures(host.warn);
  }

  /** What couldn't be mended at the last look, a sentence each, whether that lasts or not. */
  get failures(): readonly string[] {
    return this.#failures.texts;
  }

  /** What couldn't be mended for a while, for `status`. */
  get warnings(): readonly Warning[] {
    return this.#failures.warnings;
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
    try {
      const links = await this.#look(now);
      this.#failures.forget(LOOK);
      return links;
    } catch (error) {
      this.#failures.note(
        LOOK,
        undefined,
        `what is on the interfaces can't be looked at: ${textOf(error)}`,
        now,
      );
      throw error;
    } finally {
      this.#failures.say(now);
    }
  }

  close(): void {
    this.#channel.close();
  }

  async #look(now: number): Promise<readonly Link[]> {
    const settings = now - this.#settingsAt >= SETTINGS_MS;
    if (settings) this.#settingsAt = now;
    const parts = this.#parts.filter((part) => settings || isOnDevice(part));
    const seen = await seeParts(parts, this.#channel);
    for (const note of await this.#takeStrays(seen.links, now)) this.#host.warn(note);
    const ours = seen.links.filter(({ name }) => this.#isOurs(name));
    if (ours.some((link) => this.#host.hookOf(link) !== 'right')) this.#host.unhooked();
    const unhooked = ours.filter((link) => this.#host.hookOf(link) === 'none');
    const hooked = (part: Part): boolean =>
      !isOnDevice(part) || !unhooked.some(({ name }) => name === part.device);
    const missing = missingParts(parts, seen);
    for (const part of parts.filter((one) => !missing.includes(one))) this.#failures.forget(keyOf(part));
    const due = missing.filter((part) => hooked(part) && this.#isDue(part, now));
    const misplaced = misplacedAddresses(parts, seen).filter((part) => due.includes(part));
    // Each is a process: beside each other, interfaces take no longer than one.
    await Promise.all(
      placesOf(due).map(async (place) => {
        for (const part of misplaced.filter((one) => place.includes(one)))
          await this.#try(part, now, () => takePart(part));
        for (const part of place) await this.#try(part, now, () => putPart(onSame(part, seen.links)));
      }),
    );
    const mended = due.filter((part) => part.kind !== 'way' && !this.#failures.has(keyOf(part)));
    this.#note(mended, misplaced, now);
    for (const part of parts.filter((one) => isThere(one, seen))) this.#rightAt.set(keyOf(part), now);
    this.#judge(
      unhooked.map(({ name }) => name),
      now,
    );
    if (mended.some(isOnDevice)) this.#host.mended();
    return seen.links;
  }

  #isOurs(device: string): boolean {
    return this.#parts.some((part) => isOnDevice(part) && part.device === device);
  }

  async #takeStrays(links: readonly Link[], now: number): Promise<readonly string[]> {
    try {
      const notes = await this.#strays.take(links);
      this.#failures.forget(STRAYS);
      return notes;
    } catch (error) {
      const text = `an interface that has another name now still has shared addresses: ${textOf(error)}`;
      this.#failures.note(STRAYS, undefined, text, now);
      return [];
    }
  }

  /** Where another route, a more exact one, leads elsewhere ours changes nothing: that is the administrator's affair. */
  #isDue(part: Part, now: number): boolean {
    if (!this.#failures.isDue(keyOf(part), now)) return false;
    if (part.kind !== 'way') return true;
    const due = now - (this.#routedAt.get(part.network) ?? Number.NEGATIVE_INFINITY) >= ROUTE_MS;
    if (due) this.#routedAt.set(part.network, now);
    return due;
  }

  async #try(part: Part, now: number, act: () => Promise<void>): Promise<void> {
    try {
      await act();
      this.#failures.forget(keyOf(part));
    } catch (error) {
      // It went away meanwhile: who watches the interfaces says so.
      if (isOnDevice(part) && !(await linkExists(part.device))) return;
      const place = isOnDevice(part) ? ` on ${part.device}` : '';
      const text = `${partText(part)}${place} is missing and can't be put back: ${textOf(error)}`;
      this.#failures.note(keyOf(part), part, text, now);
    }
  }

  /** Which interfaces can't be served. */
  #judge(unhooked: readonly string[], now: number): void {
    const whats = new Map(unhooked.map((device) => [device, 'has no rules yet']));
    for (const part of this.#failures.parts.filter(isServing)) {
      whats.set(part.device, `has no ${partText(part)}, which can't be put back`);
    }
    this.#troubles = new Map(
      [...whats].map(([device, what]) => [device, { what, since: this.#troubles.get(device)?.since ?? now }]),
    );
  }

  /** A line for each interface, with what was missing and how long, or what was in the wrong place. */
  #note(mended: readonly Part[], misplaced: readonly Part[], now: number): void {
    for (const place of new Set(mended.map(placeOf))) {
      const parts = mended.filter((part) => placeOf(part) === place);
      const missing = parts.filter((part) => !misplaced.includes(part));
      const since = Math.min(...missing.map((part) => this.#rightAt.get(keyOf(part)) ?? now));
      if (now - (this.#loggedAt.get(place) ?? Number.NEGATIVE_INFINITY) >= QUIET_MS) {
        this.#loggedAt.set(place, now);
        const long = since === now ? '' : ` for up to ${Math.ceil((now - since) / 100) / 10} s`;
        const text =
          missing.length > 0
            ? `${missing.map(partText).join(', ')} was missing${long}; put back`
            : `${parts.map(partText).join(', ')} came before the interface's own addresses; put behind them`;
        this.#host.warn(`${place}: ${text}`);
      }
    }
  }
}

/** What one log line is about: an interface, or the settings. */
const placeOf = (part: Part): string => (isOnDevice(part) ? part.device : 'sysctl');

const placesOf = (parts: readonly Part[]): readonly (readonly Part[])[] =>
  [...new Set(parts.map(placeOf))].map((place) => parts.filter((part) => placeOf(part) === place));

/** Without a route of ours an interface is served all the same. */
const isServing = (part: Part): part is DevicePart => isOnDevice(part) && part.kind !== 'way';

/**
 * An address goes to the interface that was seen and no other: one that was made in its place meanwhile has no rules yet. `ip` takes
 * `if7` for the interface with index 7 (ll_idx_a2n() in iproute2's lib/ll_map.c).
 */
const onSame = (part: Part, links: readonly Link[]): Part => {
  const link = links.find(({ name }) => part.kind === 'address' && name === part.device);
  return link === undefined || part.kind !== 'address' ? part : { ...part, device: `if${link.index}` };
};

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
