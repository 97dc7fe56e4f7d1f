import { type Warning, warningText } from '../cluster/warning.ts';
import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import type { Heard } from '../dataplane/heard.ts';
import type { Claim } from '../peers/link.ts';
import type { Logger } from '../system/log.ts';
import { Circle, type Identity } from './circle.ts';
import { type Scene, sceneOf } from './stranger-warnings.ts';
import { judgeStrangers, type Stranger } from './strangers.ts';

const LOOK_MS = 1000;
/** A peer may tell in the next moment that it was he. */
const CONFIRM_MS = 1500;
/** A peer that can't be asked may be asked soon. */
const DOUBT_MS = 10_000;
/**
 * How long somebody is taken to be there whom the rules, after five seconds of silence, have forgotten. keepalived advertises every
 * second or more often, others speak rarely.
 */
const LINGER_MS = 55_000;
const VRRP_LINGER_MS = 5000;
/** A claim is made several times a second. */
const CLAIM_MS = 3000;
/** Whoever draws addresses at random is not to fill memory and log. */
const MOST = 100;

/** What the watch asks of the machine. */
export interface StrangersHost {
  readonly listen: () => Promise<Heard>;
  /** What this node is known by. */
  readonly own: () => Promise<Identity>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

interface Known extends Stranger {
  readonly since: number;
  readonly last: number;
  readonly named: boolean;
}

/** Notices others on the segments who use what is this cluster's: its VRIDs, shared MACs and addresses, its ports. */
export class StrangersWatch {
  readonly #host: StrangersHost;
  readonly #scene: Scene;
  readonly #circle: Circle;
  /** By code and object. */
  #known: ReadonlyMap<string, Known> = new Map();
  readonly #claims = new Map<string, { readonly claim: Claim; readonly at: number }>();
  #failure = '';
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(config: ClusterConfig, node: NodeConfig, host: StrangersHost) {
    this.#host = host;
    this.#scene = sceneOf(config, node);
    this.#circle = new Circle(config, node);
  }

  /** Those who were there at two looks, and until they have been silent for a while. */
  get warnings(): readonly Warning[] {
    return [...this.#known.values()].filter(({ named }) => named).map(({ warning }) => warning);
  }

  /** What this node is known by, for its peers; undefined: not seen yet. */
  get own(): Identity | undefined {
    return this.#circle.own;
  }

  /** A peer was heard. @param identity what it is known by; undefined: it doesn't tell */
  told(peer: string, identity: Identity | undefined): void {
    this.#circle.told(peer, identity, performance.now());
  }

  /** Somebody speaks with the agent who is no peer. */
  claimed(address: string, claim: Claim): void {
    if (this.#claims.has(address) || this.#claims.size < MOST) {
      this.#claims.set(address, { claim, at: performance.now() });
    }
  }

  /** Begins to look, once a second. */
  begin(): void {
    void this.#look();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    try {
      this.#circle.own = await this.#host.own();
      const heard = await this.#host.listen();
      if (this.#closed) return;
      this.take(heard, performance.now());
      this.#failure = '';
    } catch (error) {
      if (this.#closed) return;
      this.#fail(error instanceof Error ? error.message : String(error));
    }
    this.#timer = setTimeout(() => void this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** A look has found this. @param now milliseconds, of performance.now() */
  take(heard: Heard, now: number): void {
    for (const [address, { at }] of this.#claims) if (now - at > CLAIM_MS) this.#claims.delete(address);
    const claims = new Map([...this.#claims].map(([address, { claim }]) => [address, claim]));
    const seen = new Map(
      judgeStrangers(heard, claims, this.#circle, this.#scene, now)
        .map((stranger) => [keyOf(stranger), stranger] as const)
        .filter(([key]) => this.#known.has(key) || this.#known.size < MOST)
        .slice(0, MOST),
    );
    const lasting = [...this.#known].filter(([key, known]) => seen.has(key) || this.#lasts(known, now));
    const ended = [...this.#known].filter(([key, known]) => !seen.has(key) && !this.#lasts(known, now));
    this.#known = new Map([
      ...lasting,
      ...[...seen].map(([key, stranger]) => [key, this.#seen(key, stranger, now)] as const),
    ]);
    for (const [, { named, again }] of ended) if (named) this.#host.log.info(again);
  }

  #seen(key: string, stranger: Stranger, now: number): Known {
    const { since, named: before } = this.#known.get(key) ?? { since: now, named: false };
    const named = before || now - since >= (stranger.sure ? CONFIRM_MS : DOUBT_MS);
    if (named && !before) this.#host.log.warn(warningText(stranger.warning));
    return { ...stranger, since, last: now, named };
  }

  /** Whether one who wasn't seen now counts as there. */
  #lasts({ named, last, warning, wasOurs }: Known, now: number): boolean {
    return (
      named && !wasOurs() && now - last < (warning.code === 'vrrp-stranger' ? VRRP_LINGER_MS : LINGER_MS)
    );
  }

  #fail(failure: string): void {
    if (failure !== this.#failure) {
      this.#host.log.warn(`whether others use this cluster's VRIDs, MACs or ports can't be seen: ${failure}`);
    }
    this.#failure = failure;
  }
}

const keyOf = ({ warning }: Stranger): string => `${warning.code} ${warning.object}`;
