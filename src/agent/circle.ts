import type { ClusterConfig, NodeConfig } from '../config/types.ts';

/** By what a node's frames are known. */
export interface Identity {
  /** Of the interfaces that the cluster uses. */
  readonly macs: readonly string[];
  /** Its own of IPv4, on whatever interface. */
  readonly addresses: readonly string[];
}

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

  /**
   * The peers, so many of whom may be among `unknown` identities that nobody has told of; undefined: all of them may be, for they
   * are heard and don't tell.
   */
  doubtful(unknown: number): readonly string[] | undefined {
    const mute = this.#peers.filter((peer) => this.#heard.get(peer) === false);
    const silent = this.#peers.filter((peer) => !this.#heard.has(peer));
    if (unknown <= mute.length) return undefined;
    return [...mute, ...silent];
  }

  #add({ macs, addresses }: Identity): void {
    for (const mac of macs) if (this.#macs.size < MOST) this.#macs.add(mac);
    for (const address of addresses) if (this.#addresses.size < MOST) this.#addresses.add(address);
  }
}
