import { type Address, addressText, isSameAddress, parseAddress } from './address.ts';
import type { Flow, Hashing } from './flow.ts';
import { bucketOfFlow } from './flow.ts';
import type { Share } from './ranges.ts';

/** A bucket that has as many translated flows to one address and port as it has ports, or nearly. */
export interface FullRange {
  readonly bucket: number;
  readonly protocol: number;
  /** Outside, with its port: 203.0.113.7:443 or [2001:db8::7]:443. */
  readonly destination: string;
  readonly flows: number;
  readonly ports: number;
}

/** Share of the ports from which a range counts as full: some of the rest are always just being freed. */
const NEARLY = 0.95;

/** Counts translated flows by what they may not share: bucket, protocol, and address and port outside. */
export class RangeCount {
  readonly #hashing: Hashing;
  /** By bucket: the addresses that it has ports of. */
  readonly #shares = new Map<number, { readonly address: Address; readonly ports: number }[]>();
  readonly #counts = new Map<string, FullRange>();

  /** @param shares of all addresses that flows are translated to */
  constructor(hashing: Hashing, shares: readonly Share[]) {
    this.#hashing = hashing;
    for (const { bucket, address, first, last } of shares) {
      const ofBucket = this.#shares.get(bucket) ?? [];
      ofBucket.push({ address: parseAddress(address), ports: last - first + 1 });
      this.#shares.set(bucket, ofBucket);
    }
  }

  add(flow: Flow): void {
    const { original, reply } = flow;
    if (isSameAddress(reply.dst, original.src)) return;
    const bucket = bucketOfFlow(flow, this.#hashing);
    const share = this.#shares.get(bucket)?.find(({ address }) => isSameAddress(address, reply.dst));
    if (share === undefined) return;
    const { ports } = share;
    const destination = withPort(addressText(reply.src), reply.sport);
    const key = `${bucket} ${original.protocol} ${destination} ${addressText(reply.dst)}`;
    const flows = (this.#counts.get(key)?.flows ?? 0) + 1;
    this.#counts.set(key, { bucket, protocol: original.protocol, destination, flows, ports });
  }

  get full(): readonly FullRange[] {
    return [...this.#counts.values()].filter(({ flows, ports }) => flows >= ports * NEARLY);
  }
}

const withPort = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
