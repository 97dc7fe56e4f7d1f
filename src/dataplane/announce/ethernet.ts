import ipaddr from 'ipaddr.js';

const MAC_BYTES = 6;
const HEADER_BYTES = 14;

/** What a frame says of a shared address, and whose frame it is. MACs as `02:00:00:00:00:01`. */
export interface Announced {
  readonly address: string;
  /** The one that the nodes share: what neighbours are to learn. */
  readonly mac: string;
  /** The interface's own, the frame's source: a switch must never learn the shared one. */
  readonly source: string;
}

/** An Ethernet frame without its checksum. `type` is the EtherType. */
export const ethernetFrame = (to: string, source: string, type: number, payload: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  frame.set(macBytes(to), 0);
  frame.set(macBytes(source), MAC_BYTES);
  new DataView(frame.buffer).setUint16(2 * MAC_BYTES, type);
  frame.set(payload, HEADER_BYTES);
  return frame;
};

/** Whether this is a MAC that `macBytes` takes: an interface that is no Ethernet has a longer one, or none. */
export const isMac = (text: string): boolean => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(text);

/** Six bytes. Throws a RangeError if `mac` is no MAC. */
export const macBytes = (mac: string): Uint8Array => {
  if (!isMac(mac)) {
    throw new RangeError(`expected a MAC address such as 02:00:00:00:00:01, got "${mac}"`);
  }
  return Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16));
};

/** Four or sixteen bytes. */
export const addressBytes = (address: string): Uint8Array =>
  Uint8Array.from(ipaddr.parse(address).toByteArray());
