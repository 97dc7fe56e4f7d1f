import { type Address, type Ipv6Address, isSameAddress } from './address.ts';

/** A set of addresses of both families: a Set would tell equal IPv6 addresses apart, they being objects. */
export class AddressSet {
  readonly #ipv4 = new Set<number>();
  /** By the fourth word, in which the addresses of one machine differ. */
  readonly #ipv6 = new Map<number, Ipv6Address[]>();

  constructor(addresses: Iterable<Address>) {
    for (const address of addresses) {
      if (typeof address === 'number') {
        this.#ipv4.add(address);
      } else {
        this.#ipv6.set(address.fourth, [...(this.#ipv6.get(address.fourth) ?? []), address]);
      }
    }
  }

  has(address: Address): boolean {
    return typeof address === 'number'
      ? this.#ipv4.has(address)
      : this.#ipv6.get(address.fourth)?.some((one) => isSameAddress(one, address)) === true;
  }
}
