import { errnoName } from './errno.ts';
import { KernelError } from './error.ts';
import { type Libc, loadLibc, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_RAW } from './libc.ts';
import { AF_PACKET, decodeLinkAddress, encodeLinkAddress, SOCKADDR_LL_BYTES } from './link-address.ts';

/** Longer frames come in cut to this. */
const FRAME_BYTES = 128;
/** PACKET_OUTGOING of include/uapi/linux/if_packet.h: this machine has sent it itself. */
const OUTGOING = 4;
/** Nothing waits, or a signal came in between; and what is told of an interface that has gone down. */
const NOTHING: ReadonlySet<string> = new Set(['EAGAIN', 'EINTR', 'ENETDOWN']);

export interface ReceivedFrame {
  /** The interface's number. */
  readonly index: number;
  /** From the destination's MAC on. */
  readonly bytes: Uint8Array;
}

/**
 * Receives whole Ethernet frames of one EtherType, on all interfaces: what the interface itself lets in, as it isn't made
 * promiscuous, and what has passed the ingress hook of nftables (__netif_receive_skb_core() in net/core/dev.c). To be closed.
 */
export class FrameReceiver {
  readonly #libc: Libc;
  readonly #socket: number;
  readonly #buffer = Buffer.alloc(FRAME_BYTES);
  readonly #from = Buffer.alloc(SOCKADDR_LL_BYTES);
  readonly #fromLength = Buffer.alloc(4);
  #closed = false;

  private constructor(libc: Libc, socket: number) {
    this.#libc = libc;
    this.#socket = socket;
  }

  /** Throws NativeCallsError; KernelError without CAP_NET_RAW, or on a kernel that has no packet sockets. */
  static async open(etherType: number): Promise<FrameReceiver> {
    const libc = await loadLibc();
    // With protocol 0 it receives nothing until it is bound.
    const socket = libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (socket < 0) {
      throw new KernelError(libc.errno(), 'open', 'a packet socket');
    }
    const address = encodeLinkAddress({ type: etherType, index: 0 });
    if (libc.bind(socket, address, address.length) < 0) {
      const errno = libc.errno();
      libc.close(socket);
      throw new KernelError(errno, 'bind', `a packet socket to EtherType 0x${etherType.toString(16)}`);
    }
    return new FrameReceiver(libc, socket);
  }

  /** The next frame that waits; undefined: none does. Never blocks. Throws KernelError, RangeError if it is closed. */
  receive(): ReceivedFrame | undefined {
    if (this.#closed) {
      throw new RangeError('the packet socket is closed');
    }
    for (;;) {
      this.#fromLength.writeInt32LE(SOCKADDR_LL_BYTES);
      const length = this.#libc.recvfrom(
        this.#socket,
        this.#buffer,
        FRAME_BYTES,
        MSG_DONTWAIT,
        this.#from,
        this.#fromLength,
      );
      if (length < 0) {
        const errno = this.#libc.errno();
        if (NOTHING.has(errnoName(errno))) {
          return undefined;
        }
        throw new KernelError(errno, 'receive', 'a frame');
      }
      const { index, kind } = decodeLinkAddress(this.#from);
      if (kind !== OUTGOING) {
        return { index, bytes: Uint8Array.from(this.#buffer.subarray(0, length)) };
      }
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
