import { FIRST_PORT } from '../../cluster/ranges.ts';
import type { Warning } from '../../cluster/warning.ts';
import { canonical } from '../../config/subnet.ts';
import type { UdpSocket } from './udp-sockets.ts';

/** Seen again so much later it is another packet (`asked_ports` keeps it for a second), and not much later it is the same client's. */
const TWICE_MS = 1200;
const FORGOTTEN_MS = 60_000;

/**
 * Sockets of this machine where packets don't come: ports from 1024 up of a SNAT address belong to the buckets. One that listens on all
 * addresses may be meant for others: it counts once clients have asked it there, not once only, and then for as long as it is there.
 */
export class SocketsInRange {
  /** Of SNAT. */
  readonly #addresses: readonly string[];
  /** When a port was first seen to be asked, by the port. */
  readonly #asked = new Map<number, number>();
  readonly #counting = new Set<number>();

  constructor(addresses: readonly string[]) {
    this.#addresses = addresses.map(canonical);
  }

  /** Whether any of them counts only if it is asked. */
  mustAsk(sockets: readonly UdpSocket[]): boolean {
    return this.#addresses.length > 0 && sockets.some(isEverywhere);
  }

  /**
   * @param asked ports of SNAT addresses that clients have sent to within the last second, without an answer
   * @param now milliseconds of a monotonic clock
   */
  judge(sockets: readonly UdpSocket[], asked: ReadonlySet<number>, now: number): readonly Warning[] {
    if (this.#addresses.length === 0) return [];
    const everywhere = new Set(sockets.filter(isEverywhere).map(({ port }) => port));
    for (const port of [...this.#asked.keys(), ...this.#counting]) {
      if (everywhere.has(port)) continue;
      this.#asked.delete(port);
      this.#counting.delete(port);
    }
    for (const port of everywhere) this.#look(port, asked.has(port), now);
    const exact = sockets.filter(
      ({ address, port }) => address !== undefined && port >= FIRST_PORT && this.#addresses.includes(address),
    );
    return [
      ...exact.map(({ address = '', port }) =>
        warning(withPort(address, port), `at ${withPort(address, port)}`),
      ),
      ...[...this.#counting].map((port) =>
        warning(
          `any address, port ${port}`,
          `on port ${port} of every address, and clients send to it at a SNAT address`,
        ),
      ),
    ];
  }

  #look(port: number, isAsked: boolean, now: number): void {
    if (!isAsked) return;
    const first = this.#asked.get(port);
    if (first === undefined || now - first >= FORGOTTEN_MS) this.#asked.set(port, now);
    else if (now - first >= TWICE_MS) this.#counting.add(port);
  }
}

const isEverywhere = ({ address, port }: UdpSocket): boolean => address === undefined && port >= FIRST_PORT;

const withPort = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

const warning = (object: string, listens: string): Warning => ({
  code: 'port-in-range',
  object: `udp ${object}`,
  text: `a UDP service of this machine listens ${listens}: ports from ${FIRST_PORT} up of an address in snat belong to the buckets, so what clients outside send there is dropped and nobody is answered; have it use a port below ${FIRST_PORT}, or have clients use an address that isn't in snat`,
});
