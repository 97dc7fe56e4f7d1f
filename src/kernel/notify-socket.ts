import { errnoName } from './errno.ts';
import { KernelError } from './error.ts';
import { type Libc, loadLibc, MSG_DONTWAIT, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_DGRAM } from './libc.ts';
import { AF_UNIX, encodeUnixAddress } from './unix-address.ts';

/** Sends datagrams to the socket of a service manager, sd_notify(3). Node.js has no datagram sockets of the Unix domain. To be closed. */
export class NotifySocket {
  readonly #libc: Libc;
  readonly #socket: number;
  readonly #to: Uint8Array;
  #closed = false;

  private constructor(libc: Libc, socket: number, to: Uint8Array) {
    this.#libc = libc;
    this.#socket = socket;
    this.#to = to;
  }

  /**
   * @param name what $NOTIFY_SOCKET holds
   * @throws NativeCallsError, KernelError; RangeError for a name that is none of a socket of the Unix domain
   */
  static async open(name: string): Promise<NotifySocket> {
    const to = encodeUnixAddress(name);
    if (to === undefined) {
      throw new RangeError(`NOTIFY_SOCKET=${name} is neither a path nor an abstract name of a socket`);
    }
    const libc = await loadLibc();
    const socket = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) {
      throw new KernelError(libc.errno(), 'open', 'a datagram socket');
    }
    return new NotifySocket(libc, socket, to);
  }

  /** Returns whether it was sent: not where the reader's queue is full. Never blocks. Throws KernelError. */
  send(text: string): boolean {
    const bytes = Buffer.from(text);
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    if (this.#libc.sendto(this.#socket, bytes, bytes.length, flags, this.#to, this.#to.length) >= 0) {
      return true;
    }
    const errno = this.#libc.errno();
    if (['EAGAIN', 'EINTR', 'ENOBUFS'].includes(errnoName(errno))) {
      return false;
    }
    throw new KernelError(errno, 'tell', 'the service manager');
  }

  /** May be called again. */
  close(): void {
    if (!this.#closed) {
      this.#closed = true;
      this.#libc.close(this.#socket);
    }
  }
}
