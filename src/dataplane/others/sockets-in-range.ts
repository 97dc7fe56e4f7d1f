import { FIRST_PORT } from '../../cluster/ranges.ts';
import type { Warning } from '../../cluster/warning.ts';
import { canonical } from '../../config/subnet.ts';
import type { UdpSocket } from './udp-sockets.ts';

/** Seen again so much later it is another packet: `asked_ports` keeps one for a second. */
const ANOTHER_MS = 1200;
/** Clients go on asking; who scans asks a port once or twice. So many times, over so long, within so long. */
const TIMES = 3;
const SPREAD_MS = 10_000;
const WITHIN_MS = 60_000;
/** Of a port that counts. */
const FORGOTTEN_MS = 600_000;
/** mDNS and LLMNR, whose clients are on the link: the rest are strays. */
const OF_THE_LINK: readonly number[] = [5353, 5355];

/**
 * Sockets of this machine where packets don't come: ports from 1024 up of a SNAT address belong to the buckets. One that listens on all
 * addresses may be meant for others: it counts once clients go on asking it there, and until they haven't for ten minutes.
 */
export class SocketsInRange {
  /** Of SNAT. */
  readonly #addresses: readonly string[];
  /** When a port was seen to be asked within the last while, by the port. Milliseconds, the last one last. */
  readonly #asked = new Map<number, readonly number[]>();
  /** When a port that counts was last asked. */
  readonly #counting = new Map<number, number>();

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
    for (const port of [...this.#asked.keys(), ...this.#counting.keys()]) {
      if (everywhere.has(port)) continue;
      this.#asked.delete(port);
      this.#counting.delete(port);
    }
    for (const port of everywhere) this.#look(port, asked.has(port), now);
    const exact = sockets.filter(
      (socket) =>
        socket.address !== undefined && isInRange(socket) && this.#addresses.includes(socket.address),
    );
    return [
      ...exact.map(({ address = '', port }) =>
        warning(withPort(address, port), `at ${withPort(address, port)}`),
      ),
      ...[...this.#counting.keys()].map((port) =>
        warning(
          `any address, port ${port}`,
          `on port ${port} of every address, and clients send to it at a SNAT address`,
        ),
      ),
    ];
  }

  #look(port: number, isAsked: boolean, now: number): void {
    if (isAsked) this.#note(port, now);
    const last = this.#counting.get(port);
    if (last !== undefined && now - last >= FORGOTTEN_MS) this.#counting.delete(port);
  }

  #note(port: number, now: number): void {
    if (this.#counting.has(port)) {
      this.#counting.set(port, now);
      return;
    }
    const before = (this.#asked.get(port) ?? []).filter((at) => now - at < WITHIN_MS);
    const last = before.at(-1);
    const all = last !== undefined && now - last < ANOTHER_MS ? before : [...before, now];
    const [first = now] = all;
    if (all.length < TIMES || now - first < SPREAD_MS) {
      this.#asked.set(port, all);
      return;
    }
    this.#asked.delete(port);
    this.#counting.set(port, now);
  }
}

const isEverywhere = (socket: UdpSocket): boolean => socket.address === undefined && isInRange(socket);

const isInRange = ({ port }: UdpSocket): boolean => port >= FIRST_PORT && !OF_THE_LINK.includes(port);

const withPort = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

const warning = (object: string, listens: string): Warning => ({
  code: 'port-in-range',
  object: `udp ${object}`,
  text: `a UDP service of this machine listens ${listens}: ports from ${FIRST_PORT} up of an address in snat belong to the buckets, so what clients outside send there is dropped and nobody is answered; have it use a port below ${FIRST_PORT}, or have clients use an address that isn't in snat`,
});
