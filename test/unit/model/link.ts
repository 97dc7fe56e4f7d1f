import type { Link } from '../../../src/agent/conversation.ts';
import type { NodeConfig } from '../../../src/config/types.ts';
import type { PeerLinkEvents } from '../../../src/peers/link.ts';
import type { Body } from '../../../src/peers/message.ts';

/** What a datagram carries besides its seal. */
export interface Parcel {
  readonly from: string;
  readonly session: string;
  readonly echo: string;
  readonly sequence: number;
  readonly body: Body;
}

/** `PeerLink` without socket and seal: the same rules for which message counts. */
export class ModelLink implements Link {
  readonly #node: string;
  readonly #session: string;
  readonly #events: PeerLinkEvents;
  readonly #carry: (to: string, parcel: Parcel) => void;
  readonly #heard = new Map<string, string>();
  readonly #proven = new Map<string, { session: string; sequence: number }>();
  readonly #retired = new Set<string>();
  #sequence = 0;

  constructor(
    node: string,
    session: string,
    events: PeerLinkEvents,
    carry: (to: string, parcel: Parcel) => void,
  ) {
    this.#node = node;
    this.#session = session;
    this.#events = events;
    this.#carry = carry;
  }

  async open(): Promise<void> {}

  close(): void {}

  send(peer: Pick<NodeConfig, 'name'>, body: Body): void {
    const echo = this.#heard.get(peer.name) ?? '';
    const sequence = this.#sequence++;
    this.#carry(peer.name, { from: this.#node, session: this.#session, echo, sequence, body });
  }

  /** A message that nobody can tell from a true one. */
  forge(from: string, body: Body): void {
    this.#events.message(from, body, 'forged');
  }

  receive({ from, session, echo, sequence, body }: Parcel): void {
    if (this.#retired.has(session)) {
      return;
    }
    if (this.#heard.get(from) !== session) {
      this.#heard.set(from, session);
      this.send({ name: from }, { type: 'hello' });
    }
    const proven = this.#proven.get(from);
    if (echo !== this.#session || (proven?.session === session && sequence <= proven.sequence)) {
      return;
    }
    if (proven !== undefined && proven.session !== session) {
      this.#retired.add(proven.session);
    }
    this.#proven.set(from, { session, sequence });
    if (body.type !== 'hello') {
      this.#events.message(from, body, session);
    }
  }
}
