import { readFile } from 'node:fs/promises';
import { type Address, addressText } from '../../cluster/address.ts';

/** A UDP socket that takes what anybody sends. */
export interface UdpSocket {
  /** undefined: every address of this machine. */
  readonly address: string | undefined;
  readonly port: number;
}

const FILES = ['/proc/net/udp', '/proc/net/udp6'];

/** Those of this network namespace. Without IPv6 there is no second file. */
export const udpSockets = async (): Promise<readonly UdpSocket[]> => {
  const texts = await Promise.all(FILES.map((file) => readFile(file, 'utf8').catch(() => '')));
  return texts.flatMap(parseUdpSockets);
};

/** @param text of /proc/net/udp or udp6: words of addresses as this machine has them in memory, little endian */
export const parseUdpSockets = (text: string): readonly UdpSocket[] =>
  text.split('\n').flatMap((line) => {
    const [, local = '', port = '', remote = ''] =
      /^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]+:[0-9A-F]{4}) /.exec(line) ?? [];
    if (local === '' || !/^0+:0+$/.test(remote)) return [];
    const address = /^0+$/.test(local) ? undefined : addressText(addressOf(local));
    return [{ address, port: Number.parseInt(port, 16) }];
  });

const addressOf = (hex: string): Address => {
  const word = (index: number): number => Number.parseInt(hex.slice(8 * index, 8 * index + 8), 16);
  // The word in memory is the address's bytes in their order.
  return hex.length === 8
    ? word(0)
    : { first: word(0) | 0, second: word(1) | 0, third: word(2) | 0, fourth: word(3) | 0 };
};
