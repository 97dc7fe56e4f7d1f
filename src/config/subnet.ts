import ipaddr from 'ipaddr.js';

/** An IPv4 or IPv6 prefix; the address may have host bits. IPv6 is written as RFC 5952 says. */
export interface Subnet {
  readonly address: string;
  readonly prefix: number;
}

/** Whether `text` is a dotted address of four decimal numbers without leading zeros. */
export const isIpv4 = (text: string): boolean => ipaddr.IPv4.isValidFourPartDecimal(text);

/** Whether `text` is an IPv6 address, without a zone (%eth1). */
export const isIpv6 = (text: string): boolean => !text.includes('%') && ipaddr.IPv6.isValid(text);

/** Whether a host can have the address, as its own and of its own family. */
export const isHostAddress = (address: string): boolean => {
  const number = numberOf(address);
  return isIpv4(address)
    ? !NO_HOST_4.includes(number >> 24n) && number >> 28n < 0xen
    : !NO_HOST_6.includes(ipaddr.parse(address).range());
};

/** 0.0.0.0/8 and loopback; multicast and what is beyond it are told by their first four bits. */
const NO_HOST_4 = [0n, 127n];
const NO_HOST_6 = ['unspecified', 'loopback', 'multicast', 'ipv4Mapped'];

/** Whether it is one of fe80::/10, which every interface has for itself. */
export const isLinkLocal = (address: string): boolean =>
  isIpv6(address) && numberOf(address) >> 118n === 0x3fan;

/** Parses `192.168.0.5/24` or `fd00::5/64`; undefined if it is none. */
export const parseSubnet = (text: string): Subnet | undefined => {
  const [, address = '', length = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const prefix = Number(length);
  return (isIpv4(address) || isIpv6(address)) && prefix <= bitsOf(address)
    ? { address: canonical(address), prefix }
    : undefined;
};

/** The address as it is written everywhere here: IPv6 as RFC 5952 says. */
export const canonical = (address: string): string => ipaddr.parse(address).toString();

/** `192.168.0.0/24` of 192.168.0.5/24 */
export const subnetText = (subnet: Subnet): string => `${networkAddress(subnet)}/${subnet.prefix}`;

/** The first address of the subnet. */
export const networkAddress = (subnet: Subnet): string => textOf(firstOf(subnet), subnet);

/** The last address of the subnet. */
export const broadcastAddress = (subnet: Subnet): string =>
  textOf(firstOf(subnet) + sizeOf(subnet) - 1n, subnet);

/** The address that many after the subnet's first; it may be beyond the last. */
export const addressAt = (subnet: Subnet, offset: number): string =>
  textOf(firstOf(subnet) + BigInt(offset), subnet);

/** Whether `outer` holds all of `inner`; never between the families. */
export const contains = (outer: Subnet, inner: Subnet): boolean =>
  bitsOf(outer.address) === bitsOf(inner.address) &&
  outer.prefix <= inner.prefix &&
  firstOf({ ...inner, prefix: outer.prefix }) === firstOf(outer);

/** Whether two subnets have an address in common: of two prefixes, one then holds the other. */
export const overlap = (one: Subnet, other: Subnet): boolean => contains(one, other) || contains(other, one);

/** An address as a subnet of itself alone. */
export const single = (address: string): Subnet => ({ address, prefix: bitsOf(address) });

/** Whether the subnet is one address and no more. */
export const isSingle = ({ address, prefix }: Subnet): boolean => prefix === bitsOf(address);

/** The family's name. */
export const familyOf = (address: string): 'IPv4' | 'IPv6' => (isIpv4(address) ? 'IPv4' : 'IPv6');

const bitsOf = (address: string): number => (isIpv4(address) ? 32 : 128);

const firstOf = (subnet: Subnet): bigint => {
  const size = sizeOf(subnet);
  return (numberOf(subnet.address) / size) * size;
};

const sizeOf = ({ address, prefix }: Subnet): bigint => 1n << BigInt(bitsOf(address) - prefix);

const numberOf = (address: string): bigint =>
  ipaddr
    .parse(address)
    .toByteArray()
    .reduce((number, byte) => number * 256n + BigInt(byte), 0n);

const textOf = (number: bigint, { address }: Subnet): string => {
  const bytes = Array.from({ length: bitsOf(address) / 8 }, (_, index) =>
    Number((number >> BigInt(bitsOf(address) - 8 * (index + 1))) & 255n),
  );
  return ipaddr.fromByteArray(bytes).toString();
};
