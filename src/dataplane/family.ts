import { familyOfText } from '../cluster/address.ts';

/** nft's word for IPv4 and IPv6 in rules. */
export type Family = 'ip' | 'ip6';

export const FAMILIES_OF_IP = ['ip', 'ip6'] as const;

/** Addresses or prefixes, as texts, by family. */
export type Families = Readonly<Record<Family, readonly string[]>>;

export const familyOf = (address: string): Family => (familyOfText(address) === 6 ? 'ip6' : 'ip');

export const byFamily = (addresses: readonly string[]): Families => ({
  ip: addresses.filter((address) => familyOf(address) === 'ip'),
  ip6: addresses.filter((address) => familyOf(address) === 'ip6'),
});
