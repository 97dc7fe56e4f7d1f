import { RawNetlinkSocket } from 'netlink';
import { ChannelClosedError, KernelError, NetlinkReplyError, NetlinkTimeoutError } from './error.ts';
import { aligned, HEADER_BYTES } from './message.ts';

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

const NLMSG_NOOP = 1;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_DUMP_INTR = 0x10;
const EPERM = 1;

/** Replies to a hundred refused messages fit several times; the kernel halves it to rmem_max if that is less. */
const SOCKET_BUFFER_BYTES = 1 << 20;
const DEFAULT_TIMEOUT_MS = 5_000;

/** What is asked, of what: for error messages. */
export interface Subject {
  readonly operation: string;
  readonly subject: string;
}

/** Called for each message of a reply. `at` is behind the nlmsghdr, `end` behind the message. */
export type OnMessage = (view: DataView, at: number, end: number, type: number) => void;

export interface Request extends Subject {
  /** How many messages `encode` writes; they are numbered from `first`. */
  readonly messages: number;
  /**
   * Writes the request when its turn has come. The bytes must not change until the request has ended. The last
   * message asks for an acknowledgement, or it is the start of a dump.
   */
  readonly encode: (first: number) => Uint8Array;
  readonly onMessage?: OnMessage;
  /** Called after the last message of each datagram. */
  readonly onDatagram?: () => void;
  /** An error for the first message ends the request: it is the BATCH_BEGIN that stands for the whole batch. */
  readonly batch?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A message of a request that the kernel refused. */
export interface Refusal {
  /** Of the message in the request, from 0. */
  readonly index: number;
  readonly errno: number;
}

export interface Outcome {
  readonly refusals: readonly Refusal[];
  /** What was dumped changed meanwhile (NLM_F_DUMP_INTR): it may be incomplete. */
  readonly interrupted: boolean;
}

interface Exchange {
  readonly request: Request;
  readonly first: number;
  readonly last: number;
  readonly refusals: Refusal[];
  interrupted: boolean;
  readonly timer: NodeJS.Timeout;
  readonly settle: (error?: unknown) => void;
}

/**
 * A netlink socket for requests and dumps, one at a time, the others wait for their turn. It subscribes to no events:
 * the package aborts the process when a socket's receive buffer overflows, and a socket that only gets answers
 * to one bounded request can't overflow. Sending runs the kernel's work at once, in the caller's turn.
 */
export class Channel {
  readonly #protocol: number;
  readonly #receiveBytes: number;
  readonly #timeoutMs: number;
  #socket: RawNetlinkSocket | undefined;
  #exchange: Exchange | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #sequence = 1;
  #closed = false;

  /**
   * @param receiveBytes longest datagram to be read whole. One poll turn reads 32 of them before other work gets
   *   its turn, so a dump's should be short; with 8 KiB a turn is about 1300 conntrack entries
   * @param timeoutMs bound on the silence of the kernel
   */
  constructor(options: { protocol: number; receiveBytes: number; timeoutMs?: number }) {
    this.#protocol = options.protocol;
    this.#receiveBytes = options.receiveBytes;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /**
   * Sends a request when those before it have ended, and ends with its acknowledgement or its last reply. Refused
   * messages are in the outcome. Rejects with NetlinkTimeoutError, NetlinkReplyError, ChannelClosedError,
   * KernelError (the socket itself failed, or all was refused for want of a right) or the signal's reason; the
   * socket is then a new one, so nothing late is taken for an answer.
   */
  request(request: Request): Promise<Outcome> {
    const result = this.#turn.then(() => this.#run(request));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Ends the request under way with ChannelClosedError and every later one. */
  close(): void {
    this.#closed = true;
    const { request } = this.#exchange ?? {};
    this.#exchange?.settle(new ChannelClosedError(request?.operation ?? '', request?.subject ?? ''));
    this.#dropSocket();
  }

  #run(request: Request): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        throw new ChannelClosedError(request.operation, request.subject);
      }
      request.signal?.throwIfAborted();
      const socket = this.#openSocket();
      const first = this.#reserve(request.messages);
      const bytes = request.encode(first);
      const onAbort = (): void => exchange.settle(request.signal?.reason);
      const exchange: Exchange = {
        request,
        first,
        last: first + request.messages - 1,
        refusals: [],
        interrupted: false,
        timer: setTimeout(() => this.#expire(exchange), this.#timeoutMs),
        settle: (error) => {
          if (this.#exchange !== exchange) {
            return;
          }
          this.#exchange = undefined;
          clearTimeout(exchange.timer);
          request.signal?.removeEventListener('abort', onAbort);
          if (error === undefined) {
            resolve({ refusals: exchange.refusals, interrupted: exchange.interrupted });
          } else {
            this.#dropSocket();
            reject(error);
          }
        },
      };
      this.#exchange = exchange;
      request.signal?.addEventListener('abort', onAbort, { once: true });
      try {
        socket.send(bytes, undefined, (error) => {
          if (error !== undefined) {
            exchange.settle(new KernelError(Math.abs(error.errno), request.operation, request.subject));
          }
        });
      } catch (error) {
        exchange.settle(error);
      }
    });
  }

  /** A blocked event loop is no silence of the kernel: look at what the socket holds before giving up. */
  #expire(exchange: Exchange): void {
    setImmediate(() => {
      const { operation, subject } = exchange.request;
      exchange.settle(new NetlinkTimeoutError(operation, subject, this.#timeoutMs));
    });
  }

  #reserve(count: number): number {
    if (this.#sequence + count > 0xffff_ffff) {
      this.#sequence = 1;
    }
    const first = this.#sequence;
    this.#sequence += count;
    return first;
  }

  #openSocket(): RawNetlinkSocket {
    if (this.#socket !== undefined) {
      return this.#socket;
    }
    const socket = new RawNetlinkSocket(this.#protocol, {
      messagePeeking: false,
      msgBufferSize: this.#receiveBytes,
      recvBufferSize: SOCKET_BUFFER_BYTES,
      sendBufferSize: SOCKET_BUFFER_BYTES,
    });
    socket.unref(); // the timer of a request keeps the process alive
    const receive = (datagram: Buffer, from: { port: number }): void => {
      // Port 0 is the kernel; another process may write to this socket's address too.
      if (from.port === 0 && this.#socket === socket) {
        this.#receive(datagram);
      }
    };
    socket.on('message', receive);
    // An error quotes the request, which may be longer than the buffer; what counts stands before it.
    socket.on('truncatedMessage', receive);
    socket.on('error', (error) => {
      if (this.#socket === socket) {
        const { operation, subject } = this.#exchange?.request ?? { operation: 'read', subject: 'netlink' };
        this.#exchange?.settle(new KernelError(Math.abs(error.errno), operation, subject));
        this.#dropSocket();
      }
    });
    this.#socket = socket;
    return socket;
  }

  /**
   * Not at once: promises continue inside the package's callbacks, and its code goes on using the socket after a
   * callback has returned (PollHandler and RunCompleted in its src/binding.cc).
   */
  #dropSocket(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) {
      setImmediate(() => socket.close());
    }
  }

  #receive(datagram: Buffer): void {
    try {
      this.#messages(new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength));
    } catch (error) {
      this.#exchange?.settle(error);
    }
  }

  #messages(view: DataView): void {
    const before = this.#exchange;
    for (let at = 0; at < view.byteLength; ) {
      if (at + HEADER_BYTES > view.byteLength) {
        throw new NetlinkReplyError('half a message header', at);
      }
      const length = view.getUint32(at, true);
      const type = view.getUint16(at + 4, true);
      const whole = length >= HEADER_BYTES && at + length <= view.byteLength;
      if (!whole && type !== NLMSG_ERROR) {
        throw new NetlinkReplyError(`a message of ${length} bytes in a datagram of ${view.byteLength}`, at);
      }
      this.#message(view, at, whole ? at + length : view.byteLength, type);
      at += aligned(Math.max(length, HEADER_BYTES));
    }
    before?.timer.refresh();
    if (before !== undefined && before === this.#exchange) {
      before.request.onDatagram?.();
    }
  }

  #message(view: DataView, at: number, end: number, type: number): void {
    const exchange = this.#exchange;
    const sequence = view.getUint32(at + 8, true);
    if (
      exchange === undefined ||
      sequence < exchange.first ||
      sequence > exchange.last ||
      type === NLMSG_NOOP
    ) {
      return;
    }
    if ((view.getUint16(at + 6, true) & NLM_F_DUMP_INTR) !== 0) {
      exchange.interrupted = true;
    }
    if (type === NLMSG_ERROR || type === NLMSG_DONE) {
      if (at + HEADER_BYTES + 4 > end) {
        throw new NetlinkReplyError('an answer without its error number', at);
      }
      this.#ended(exchange, sequence - exchange.first, -view.getInt32(at + HEADER_BYTES, true));
      return;
    }
    exchange.request.onMessage?.(view, at + HEADER_BYTES, end, type);
  }

  #ended(exchange: Exchange, index: number, errno: number): void {
    const { request } = exchange;
    if (errno > 0) {
      exchange.refusals.push({ index, errno });
    }
    if (index === 0 && errno === EPERM) {
      // nfnetlink answers so once and leaves the rest of the request unread
      exchange.settle(new KernelError(errno, request.operation, request.subject));
    } else if (index === request.messages - 1 || (index === 0 && errno > 0 && request.batch === true)) {
      request.onDatagram?.();
      exchange.settle();
    }
  }
}
