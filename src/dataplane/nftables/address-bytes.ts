import ipaddr from 'ipaddr.js';

/** An address as nft takes it where it knows no address: 0xc0a80005. */
export const hexadecimal = (address: string): string =>
  `0x${Buffer.from(ipaddr.parse(address).toByteArray()).toString('hex')}`;
