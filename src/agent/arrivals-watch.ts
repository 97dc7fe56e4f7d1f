import { type Quiet, quietSince, type Silence, silenceOf } from '../cluster/arrivals.ts';
import type { Warning } from '../cluster/warning.ts';
import type { InterfaceConfig } from '../config/types.ts';
import type { Logger } from '../system/log.ts';
import { WarningLog } from './warning-log.ts';

const LOOK_MS = 1000;
/** After a longer pause, of the process or of the machine, packets may be waiting. */
const GAP_MS = 2000;
/** Statuses come ten times a second; a peer that hasn't told for so long isn't compared with. */
const TELLING_MS = 1000;

export interface ArrivalsHost {
  /** Packets that have come in, by the interface's name; one that isn't in it isn't known. */
  readonly read: () => Promise<ReadonlyMap<string, number>>;
  /** Interfaces that count as lost, of which that is said already. */
  readonly lost: () => Iterable<string>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/**
 * Watches whether packets come in on each leg: every node gets every packet, so a leg where nothing comes in while a peer's is busy
 * isn't served, though the frames of the agents, and carriers, say that it is.
 */
export class ArrivalsWatch {
  readonly #legs: readonly Pick<InterfaceConfig, 'name' | 'mac'>[];
  readonly #host: ArrivalsHost;
  readonly #log: WarningLog;
  readonly #told = new Map<string, { readonly arrived: ReadonlyMap<string, number>; readonly at: number }>();
  readonly #quiet = new Map<string, Quiet>();
  #timer: NodeJS.Timeout | undefined;
  #lookedAt = Number.POSITIVE_INFINITY;
  #looking = false;
  #own: ReadonlyMap<string, number> | undefined;
  #warnings: readonly Warning[] = [];

  constructor(legs: readonly Pick<InterfaceConfig, 'name' | 'mac'>[], host: ArrivalsHost) {
    this.#legs = legs;
    this.#host = host;
    this.#log = new WarningLog(host.log);
  }

  /** Looks once a second. */
  begin(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** For the peers: what the last look found; undefined: not known. */
  get own(): Readonly<Record<string, number>> | undefined {
    return this.#own && Object.fromEntries(this.#own);
  }

  /** A peer has told what has come in there; undefined: it doesn't tell. */
  told(peer: string, arrived: Readonly<Record<string, number>> | undefined, now: number): void {
    if (arrived !== undefined) {
      this.#told.set(peer, { arrived: new Map(Object.entries(arrived)), at: now });
    }
  }

  /** For `status`. */
  get warnings(): readonly Warning[] {
    return this.#warnings;
  }

  /** @param clock milliseconds, monotonic */
  async look(clock = () => performance.now()): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    // That they can't be read is said by who guards the rules.
    this.#own = await this.#host.read().catch(() => undefined);
    this.#looking = false;
    this.#judge(clock());
  }

  #judge(now: number): void {
    if (now - this.#lookedAt >= GAP_MS) {
      this.#quiet.clear();
    }
    this.#lookedAt = now;
    const lost = new Set(this.#host.lost());
    this.#warnings = this.#legs.flatMap((leg) => {
      const own = lost.has(leg.name) ? undefined : this.#own?.get(leg.name);
      const peers = this.#peers(leg.name, now);
      const quiet = quietSince(this.#quiet.get(leg.name), { own, peers }, now);
      if (quiet === undefined) {
        this.#quiet.delete(leg.name);
        return [];
      }
      this.#quiet.set(leg.name, quiet);
      const silence = silenceOf(quiet, peers, now);
      return silence === undefined ? [] : [silent(leg, silence)];
    });
    this.#log.tell(this.#warnings);
  }

  #peers(leg: string, now: number): ReadonlyMap<string, number> {
    return new Map(
      [...this.#told]
        .filter(([, { at }]) => now - at < TELLING_MS)
        .flatMap(([peer, { arrived }]) => {
          const count = arrived.get(leg);
          return count === undefined ? [] : [[peer, count] as const];
        }),
    );
  }
}

const silent = (
  { name, mac }: Pick<InterfaceConfig, 'name' | 'mac'>,
  { milliseconds, peer, packets }: Silence,
): Warning => ({
  code: 'leg-silent',
  object: name,
  text: `${name}: no packet to ${mac} has come in for ${(milliseconds / 1000).toFixed(0)} s, and ${packets} have at ${peer}: what this node owns isn't served there, though the agents' frames come in; see what drops packets before they are sorted (the switch's port, an XDP program), and have the peers take over with "conntrack-ha drain" until then`,
});
