import type { ClusterConfig, NodeConfig } from '../config/types.ts';

/** By what a node's frames are known. */
export interface Identity {
  /** Of the interfaces that the cluster uses. */
  readonly macs: readonly string[];
  /** Its own of IPv4, on whatever interface. */
  readonly addresses: readonly string[];
}

/**
 * `peers`: each may be a peer that is heard and doesn't tell. `unsure`: each may be a peer, though one that isn't heard. `sure`: they are
 * more than the peers that have not told. `unless`: those.
 */
export type Doubt =
  | { readonly kind: 'peers' }
  | { readonly kind: 'unsure' | 'sure'; readonly unless: readonly string[] };

/** What a peer hasn't been heard for is silence. */
const SILENT_MS = 2000;

/** More than the nodes of a cluster have; what a peer says of itself is not taken without end. */
const MOST = 4096;

/**
 * By what this cluster's nodes are known. The configuration names their sync addresses only; the rest each agent tells its peers. What a
 * node had once is its own for as long as this agent runs: keepalived goes on with the address that it began with.
 */
export class Circle {
  readonly #peers: readonly string[];
  readonly #macs = new Set<string>();
  readonly #addresses: Set<string>;
  /** Peers that were heard, when last, and whether they have told anything: agents of older versions don't. */
  readonly #heard = new Map<string, { readonly at: number; readonly tells: boolean }>();
  #own: Identity | undefined;

  constructor(config: ClusterConfig, node: NodeConfig) {
    this.#peers = config.nodes.filter(({ name }) => name !== node.name).map(({ name }) => name);
    this.#addresses = new Set([
      ...config.nodes.map(({ sync }) => sync),
      // A node without an address of its own has nothing else to speak from.
      ...config.interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address)),
    ]);
  }

  /** What this node is known by; undefined: not seen yet. */
  get own(): Identity | undefined {
    return this.#own;
  }

  set own(identity: Identity) {
    this.#own = identity;
    this.#add(identity);
  }

  /** A peer was heard. @param identity undefined: it doesn't tell. @param now milliseconds, as of `doubt` */
  told(peer: string, identity: Identity | undefined, now: number): void {
    const tells = identity !== undefined || this.#heard.get(peer)?.tells === true;
    this.#heard.set(peer, { at: now, tells });
    if (identity !== undefined) this.#add(identity);
  }

  knowsMac(mac: string): boolean {
    return this.#macs.has(mac);
  }

  knowsAddress(address: string): boolean {
    return this.#addresses.has(address);
  }

  /** What is known of so many addresses that no node has told of: they change rarely. */
  doubtOfAddresses(unknown: number): Doubt {
    return this.#doubt(unknown, Number.NEGATIVE_INFINITY);
  }

  /** The same of MACs: a peer's interface that is made anew gets another one, which the peer can't tell while it isn't heard. */
  doubtOfMacs(unknown: number, now: number): Doubt {
    return this.#doubt(unknown, now - SILENT_MS);
  }

  #doubt(unknown: number, since: number): Doubt {
    const isSilent = (peer: string) => (this.#heard.get(peer)?.at ?? Number.NEGATIVE_INFINITY) <= since;
    const silent = this.#peers.filter(isSilent);
    const mute = this.#peers.filter((peer) => !isSilent(peer) && this.#heard.get(peer)?.tells === false);
    const unless = [...mute, ...silent];
    if (unknown <= mute.length) return { kind: 'peers' };
    return unknown <= unless.length ? { kind: 'unsure', unless } : { kind: 'sure', unless };
  }

  #add({ macs, addresses }: Identity): void {
    for (const mac of macs) if (this.#macs.size < MOST) this.#macs.add(mac);
    for (const address of addresses) if (this.#addresses.size < MOST) this.#addresses.add(address);
  }
}
