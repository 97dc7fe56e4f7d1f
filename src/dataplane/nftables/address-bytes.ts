import ipaddr from 'ipaddr.js';

/** An address as nft takes it where it knows no address: 0xc0a80005. */
export const hexadecimal = (address: string): string =>
  `0x${Buffer.from(ipaddr.parse(address).toByteArray()).toString('hex')}`;

/** The address that four or sixteen bytes are, as it is usually written. */
export const textOfAddress = (bytes: Uint8Array): string => ipaddr.fromByteArray([...bytes]).toString();
