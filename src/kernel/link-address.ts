/** include/linux/socket.h */
export const AF_PACKET = 17;
export const SOCKADDR_LL_BYTES = 20;
const MAC_BYTES = 6;

/** Whom a packet socket sends to, or what it is bound to: a struct sockaddr_ll, packet(7). */
export interface LinkAddress {
  /** The EtherType. */
  readonly type: number;
  /** The interface's number; 0: any. */
  readonly index: number;
  /** Six bytes; none where it doesn't matter. */
  readonly mac?: Uint8Array;
}

/** Numbers in this machine's byte order, but for the EtherType. */
export const encodeLinkAddress = ({ type, index, mac }: LinkAddress): Buffer => {
  const address = Buffer.alloc(SOCKADDR_LL_BYTES);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(type, 2);
  address.writeInt32LE(index, 4);
  if (mac !== undefined) {
    address.writeUInt8(MAC_BYTES, 11);
    address.set(mac, 12);
  }
  return address;
};

/** On which interface a frame came in, and whose the kernel takes it for (PACKET_HOST and so on, if_packet.h). */
export const decodeLinkAddress = (address: Buffer): { readonly index: number; readonly kind: number } => ({
  index: address.readInt32LE(4),
  kind: address.readUInt8(10),
});
