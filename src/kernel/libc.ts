/** include/linux/net.h, include/uapi/asm-generic/fcntl.h, include/linux/socket.h. */
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_CLOEXEC = 0o2000000;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;

/** What is called of the C library that Node.js itself runs on. A buffer's length goes with it; -1 is an error, which `errno` tells. */
export interface Libc {
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly bind: (socket: number, address: Uint8Array, length: number) => number;
  readonly sendto: (
    socket: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    to: Uint8Array,
    toLength: number,
  ) => number;
  /** `fromLength` is one number of 32 bits, in and out. */
  readonly recvfrom: (
    socket: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    from: Uint8Array,
    fromLength: Uint8Array,
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

/** Not before it is needed: all else works without. Throws NativeCallsError. */
export const loadLibc = (): Promise<Libc> => {
  loaded ??= declareLibc();
  return loaded;
};

let loaded: Promise<Libc> | undefined;

const declareLibc = async (): Promise<Libc> => {
  try {
    const { errno, load } = await import('koffi');
    // The C library that the process has loaded already, whichever that is.
    const library = load(null);
    return {
      socket: library.func('int socket(int family, int type, int protocol)'),
      bind: library.func('int bind(int socket, const void *address, unsigned int length)'),
      sendto: library.func(
        'long sendto(int socket, const void *bytes, size_t length, int flags, const void *to, unsigned int toLength)',
      ),
      recvfrom: library.func(
        'long recvfrom(int socket, void *bytes, size_t length, int flags, void *from, void *fromLength)',
      ),
      close: library.func('int close(int socket)'),
      errno: () => errno(),
    };
  } catch (cause) {
    throw new NativeCallsError(cause);
  }
};
