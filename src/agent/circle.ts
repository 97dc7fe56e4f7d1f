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
  /** Peers that were heard, and whether they have told anything: agents of older versions don't. */
  readonly #heard = new Map<string, boolean>();
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

  /** A peer was heard. @param identity undefined: it doesn't tell */
  told(peer: string, identity: Identity | undefined): void {
    this.#heard.set(peer, identity !== undefined || this.#heard.get(peer) === true);
    if (identity !== undefined) this.#add(identity);
  }

  knowsMac(mac: string): boolean {
    return this.#macs.has(mac);
  }

  knowsAddress(address: string): boolean {
    return this.#addresses.has(address);
  }

  /** What is known of so many identities that no node has told of. */
  doubt(unknown: number): Doubt {
    const mute = this.#peers.filter((peer) => this.#heard.get(peer) === false);
    const silent = this.#peers.filter((peer) => !this.#heard.has(peer));
    const unless = [...mute, ...silent];
    if (unknown <= mute.length) return { kind: 'peers' };
    return unknown <= unless.length ? { kind: 'unsure', unless } : { kind: 'sure', unless };
  }

  #add({ macs, addresses }: Identity): void {
    for (const mac of macs) if (this.#macs.size < MOST) this.#macs.add(mac);
    for (const address of addresses) if (this.#addresses.size < MOST) this.#addresses.add(address);
  }
}
