import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { peerPort } from '../config/types.ts';
import { type Body, decodeEnvelope, type Envelope, encodeEnvelope } from './message.ts';
import { seal, unseal, unsealed } from './seal.ts';

/** The agents' channel could not be opened. */
export class PeerLinkError extends Error {
  override readonly name: string = 'PeerLinkError';
}

/** Another agent of this node has the channel. */
export class OtherAgentError extends PeerLinkError {
  override readonly name = 'OtherAgentError';
}

/** This node doesn't have its sync address, or not yet. */
export class SyncAddressError extends PeerLinkError {
  override readonly name = 'SyncAddressError';
}

/** What a datagram that isn't of this cluster says of itself, where it can be read. Nothing of it is authentic. */
export interface Claim {
  readonly cluster: string | undefined;
  readonly node: string | undefined;
}

/** What becomes of received datagrams. */
export interface PeerLinkEvents {
  /** An authenticated, fresh message. `session` changes when the peer's agent was started again. */
  readonly message: (from: string, body: Body, session: string) => void;
  /** Each datagram that isn't of this cluster: sealed with another key, or of another name. */
  readonly claimed: (from: string, claim: Claim) => void;
  /** A datagram that was dropped; at most one report a second. */
  readonly rejected: (from: string, reason: string) => void;
}

/** What is known of the agent that runs on a peer. */
interface Proven {
  readonly session: string;
  /** The newest sequence number. */
  readonly sequence: number;
  /** The newest on each of the two ways. */
  readonly ways: Readonly<Record<Way, number>>;
}

/** By the port that a datagram comes from. */
type Way = 'tracked' | 'untracked';

/**
 * Authenticated datagrams between agents on the sync link (UDP, sync.port + 1). It decides nothing.
 *
 * Each goes out twice. From sync.port + 1 it belongs to a flow that conntrack tracks, and passes where another program's rules
 * let through for a moment what is established and nothing else (firewalld's reload). From another port conntrack doesn't
 * see it, by the data plane's rules: it passes where a connection table is full and has no entry for that flow.
 */
export class PeerLink {
  readonly #config: ClusterConfig;
  readonly #node: NodeConfig;
  readonly #key: Buffer;
  readonly #events: PeerLinkEvents;
  readonly #session = randomBytes(8).toString('hex');
  /** The session last heard of each peer, proven or not: what goes back to it as the echo. */
  readonly #heard = new Map<string, string>();
  /** The session that each peer has proven to be running. */
  readonly #proven = new Map<string, Proven>();
  /** Sessions that ended while this agent ran: their datagrams carry the right echo, but are old. */
  readonly #retired = new Set<string>();
  #socket: Socket | undefined;
  #untracked: Socket | undefined;
  #sequence = 0;
  #reported = 0;

  constructor(config: ClusterConfig, node: NodeConfig, key: Buffer, events: PeerLinkEvents) {
    this.#config = config;
    this.#node = node;
    this.#key = key;
    this.#events = events;
  }

  get session(): string {
    return this.#session;
  }

  /** Binds the node's sync address. Throws a PeerLinkError, also when another agent of this node runs. */
  async open(): Promise<void> {
    const socket = await this.#bound(peerPort(this.#config.sync));
    try {
      this.#untracked = await this.#bound(0);
    } catch (error) {
      socket.close();
      throw error;
    }
    socket.on('message', (datagram, { address, port }) => this.#receive(datagram, address, port));
    this.#socket = socket;
  }

  /** Sends to one peer. A lost datagram is not noticed. */
  send(peer: NodeConfig, body: Body): void {
    const envelope: Envelope = {
      version: 1,
      cluster: this.#config.cluster,
      from: this.#node.name,
      to: peer.name,
      session: this.#session,
      echo: this.#heard.get(peer.name) ?? '',
      sequence: this.#sequence++,
      body,
    };
    const datagram = seal(this.#key, 'datagram', encodeEnvelope(envelope));
    for (const socket of [this.#socket, this.#untracked]) {
      socket?.send(datagram, peerPort(this.#config.sync), peer.sync, () => {});
    }
  }

  close(): void {
    this.#socket?.close();
    this.#untracked?.close();
    this.#socket = undefined;
    this.#untracked = undefined;
  }

  async #bound(port: number): Promise<Socket> {
    const socket = createSocket({ type: 'udp4' });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (cause: NodeJS.ErrnoException) => {
        socket.close();
        reject(new (kindOf(cause))(this.#explain(cause, port), { cause }));
      });
      socket.bind({ address: this.#node.sync, port, exclusive: true }, resolve);
    });
    socket.removeAllListeners('error');
    // A send to a dead peer comes back as an error here; its silence is what counts.
    socket.on('error', () => {});
    return socket;
  }

  #receive(datagram: Buffer, address: string, port: number): void {
    const payload = unseal(this.#key, 'datagram', datagram);
    const envelope = payload && decodeEnvelope(payload);
    if (payload === undefined) {
      const said = decodeEnvelope(unsealed(datagram));
      this.#events.claimed(address, { cluster: said?.cluster, node: said?.from });
    }
    if (envelope === undefined) {
      const reason = payload
        ? 'a message of another version; run the same one on every node'
        : `it isn't from a peer, or the nodes' key files (${this.#config.sync.key}) differ`;
      this.#reject(address, reason);
      return;
    }
    if (envelope.cluster !== this.#config.cluster) {
      this.#events.claimed(address, { cluster: envelope.cluster, node: envelope.from });
    }
    const sender = this.#config.nodes.find((node) => node.name === envelope.from);
    if (envelope.cluster !== this.#config.cluster || sender === undefined || sender.sync !== address) {
      this.#reject(address, `it says it is from ${envelope.from} of ${envelope.cluster}`);
      return;
    }
    if (envelope.to !== this.#node.name || sender === this.#node) {
      this.#reject(envelope.from, `it is for ${envelope.to}`);
      return;
    }
    this.#accept(envelope, port === peerPort(this.#config.sync) ? 'tracked' : 'untracked');
  }

  /** A message counts when its sender knows this agent's session, and when it is newer than the last. */
  #accept(envelope: Envelope, way: Way): void {
    const { from, session, sequence } = envelope;
    if (this.#retired.has(session)) {
      this.#reject(from, 'it is of an agent that has ended since (a replay)');
      return;
    }
    const isNew = this.#heard.get(from) !== session;
    this.#heard.set(from, session);
    if (isNew) {
      this.#greet(from);
    }
    if (envelope.echo !== this.#session) {
      return;
    }
    const proven = this.#proven.get(from);
    if (proven !== undefined && proven.session !== session) {
      this.#retired.add(proven.session);
    }
    const known = proven?.session === session ? proven : NOTHING_YET;
    if (sequence <= known.ways[way]) {
      this.#reject(from, 'it came before (a replay, or the network doubled it)');
      return;
    }
    const ways = { ...known.ways, [way]: sequence };
    this.#proven.set(from, { session, sequence: Math.max(sequence, known.sequence), ways });
    // It has come on the other way already.
    if (sequence <= known.sequence) {
      return;
    }
    if (envelope.body.type !== 'hello') {
      this.#events.message(from, envelope.body, session);
    }
  }

  /** Answers a new session at once, so that two agents know each other within a round trip. */
  #greet(from: string): void {
    const peer = this.#config.nodes.find((node) => node.name === from);
    if (peer !== undefined) {
      this.send(peer, { type: 'hello' });
    }
  }

  #reject(from: string, reason: string): void {
    if (Date.now() - this.#reported >= 1000) {
      this.#reported = Date.now();
      this.#events.rejected(from, reason);
    }
  }

  #explain(cause: NodeJS.ErrnoException, port: number): string {
    const place = `${this.#node.sync}:${port}`;
    if (cause.code === 'EADDRINUSE') {
      return `${place}: another agent runs on this node; stop it first, or use it`;
    }
    if (cause.code === 'EADDRNOTAVAIL') {
      return `${place}: this node doesn't have its sync address (nodes.${this.#node.name}.sync); add it, or correct it`;
    }
    return `${place}: ${cause.message}`;
  }
}

const NOTHING_YET: Pick<Proven, 'sequence' | 'ways'> = {
  sequence: -1,
  ways: { tracked: -1, untracked: -1 },
};

const kindOf = ({ code }: NodeJS.ErrnoException): typeof PeerLinkError => {
  if (code === 'EADDRNOTAVAIL') return SyncAddressError;
  return code === 'EADDRINUSE' ? OtherAgentError : PeerLinkError;
};
