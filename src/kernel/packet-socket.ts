import { KernelError } from './error.ts';

/** include/uapi/linux/if_packet.h, linux/socket.h, asm-generic/fcntl.h. */
const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const SOCKADDR_LL_BYTES = 20;
/** Of an Ethernet frame: where it goes, from whom, and what it holds. */
const MAC_BYTES = 6;
const ETHERTYPE_AT = 12;

/** What is called of the C library that Node.js itself runs on. */
interface Libc {
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly sendto: (
    socket: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    to: Uint8Array,
    toLength: number,
  ) => number;
  readonly close: (socket: number) => number;
  /** Of the last call. */
  readonly errno: () => number;
}

/** The library that calls C functions can't be loaded: nothing that needs a packet socket works. */
export class NativeCallsError extends Error {
  override readonly name = 'NativeCallsError';

  constructor(cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      `the package koffi, which packet sockets need, can't be loaded: ${why}; install the packages again with: npm ci`,
      { cause },
    );
  }
}

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
    const to = linkAddress(frame, link.index);
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

let loaded: Promise<Libc> | undefined;

const loadLibc = (): Promise<Libc> => {
  loaded ??= declareLibc();
  return loaded;
};

/** Not before it is needed: all else works without. */
const declareLibc = async (): Promise<Libc> => {
  try {
    const { errno, load } = await import('koffi');
    // The C library that the process has loaded already, whichever that is.
    const library = load(null);
    return {
      socket: library.func('int socket(int family, int type, int protocol)'),
      sendto: library.func(
        'long sendto(int socket, const void *bytes, size_t length, int flags, const void *to, unsigned int toLength)',
      ),
      close: library.func('int close(int socket)'),
      errno: () => errno(),
    };
  } catch (cause) {
    throw new NativeCallsError(cause);
  }
};

/** A struct sockaddr_ll: numbers in this machine's byte order, but for the protocol, which is the frame's EtherType. */
const linkAddress = (frame: Uint8Array, index: number): Buffer => {
  const address = Buffer.alloc(SOCKADDR_LL_BYTES);
  address.writeUInt16LE(AF_PACKET, 0);
  address.set(frame.subarray(ETHERTYPE_AT, ETHERTYPE_AT + 2), 2);
  address.writeInt32LE(index, 4);
  address.writeUInt8(MAC_BYTES, 11);
  address.set(frame.subarray(0, MAC_BYTES), 12);
  return address;
};
