import { KernelError } from './error.ts';
import { type Libc, loadLibc, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_RAW } from './libc.ts';
import { AF_PACKET, encodeLinkAddress } from './link-address.ts';

/** Of an Ethernet frame: where it goes, from whom, and what it holds. */
const MAC_BYTES = 6;
const ETHERTYPE_AT = 12;

/** Sends whole Ethernet frames, and receives nothing: packet(7) with protocol 0. To be closed. */
export class PacketSocket {
  readonly #libc: Libc;
  readonly #socket: number;
  #closed = false;

  private constructor(libc: Libc, socket: number) {
    this.#libc = libc;
    this.#socket = socket;
  }

  /** Throws NativeCallsError; KernelError without CAP_NET_RAW, or on a kernel that has no packet sockets. */
  static async open(): Promise<PacketSocket> {
    const libc = await loadLibc();
    const socket = libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (socket < 0) {
      throw new KernelError(libc.errno(), 'open', 'a packet socket');
    }
    return new PacketSocket(libc, socket);
  }

  /**
   * Sends a frame at once or not at all. It passes nftables' egress hook, and no chain of iptables or arptables.
   *
   * @param frame from the destination's MAC on, without checksum; the kernel pads it
   * @param link the interface, by its number; its name is for messages
   * @throws KernelError with ENETDOWN or ENXIO where the interface is down or gone, RangeError if the socket is closed
   */
  send(frame: Uint8Array, link: { readonly name: string; readonly index: number }): void {
    if (this.#closed) {
      throw new RangeError('the packet socket is closed');
    }
    const type = new DataView(frame.buffer, frame.byteOffset).getUint16(ETHERTYPE_AT);
    const to = encodeLinkAddress({ type, index: link.index, mac: frame.subarray(0, MAC_BYTES) });
    const { length } = frame;
    if (this.#libc.sendto(this.#socket, frame, length, MSG_DONTWAIT, to, to.length) < 0) {
      throw new KernelError(this.#libc.errno(), 'send', `a frame on ${link.name}`);
    }
  }

  /** May be called again. */
  close(): void {
    if (!this.#closed) {
      this.#closed = true;
      this.#libc.close(this.#socket);
    }
  }
}
