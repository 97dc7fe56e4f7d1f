import ipaddr from 'ipaddr.js';

/** An IPv4 prefix; the address may have host bits. */
export interface Subnet {
  readonly address: string;
  readonly prefix: number;
}

/** Whether `text` is a dotted address of four decimal numbers without leading zeros. */
export const isIpv4 = (text: string): boolean => ipaddr.IPv4.isValidFourPartDecimal(text);

export const isIpv6 = (text: string): boolean => ipaddr.IPv6.isValid(text);

/** Whether a host can have the address: not 0.0.0.0/8, loopback, multicast or beyond. */
export const isHostAddress = (address: string): boolean => {
  const first = numberOf(address) >>> 24;
  return first !== 0 && first !== 127 && first < 224;
};

/** Parses `192.168.0.5/24`; undefined if it is none. */
export const parseSubnet = (text: string): Subnet | undefined => {
  const [, address = '', length = ''] = /^([\d.]+)\/(0|[1-9]\d?)$/.exec(text) ?? [];
  const prefix = Number(length);
  return length !== '' && prefix <= 32 && isIpv4(address) ? { address, prefix } : undefined;
};

/** `192.168.0.0/24` of 192.168.0.5/24 */
export const subnetText = (subnet: Subnet): string => `${networkAddress(subnet)}/${subnet.prefix}`;

/** The first address of the subnet. */
export const networkAddress = (subnet: Subnet): string => dotted(firstOf(subnet));

/** The last address of the subnet. */
export const broadcastAddress = (subnet: Subnet): string => dotted(firstOf(subnet) + sizeOf(subnet) - 1);

/** Whether `outer` holds all of `inner`. */
export const contains = (outer: Subnet, inner: Subnet): boolean =>
  outer.prefix <= inner.prefix && firstOf({ ...inner, prefix: outer.prefix }) === firstOf(outer);

/** Whether two subnets have an address in common: of two prefixes, one then holds the other. */
export const overlap = (one: Subnet, other: Subnet): boolean => contains(one, other) || contains(other, one);

/** An address as a subnet of itself alone. */
export const single = (address: string): Subnet => ({ address, prefix: 32 });

const firstOf = (subnet: Subnet): number => {
  const size = sizeOf(subnet);
  return Math.floor(numberOf(subnet.address) / size) * size;
};

const sizeOf = (subnet: Subnet): number => 2 ** (32 - subnet.prefix);

const numberOf = (address: string): number =>
  ipaddr.IPv4.parse(address).octets.reduce((number, octet) => number * 256 + octet, 0);

const dotted = (number: number): string =>
  [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255].join('.');
