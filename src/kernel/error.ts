import { errnoMeaning, errnoName } from './errno.ts';

/** The kernel refused a request. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  /** Positive, as in errno(3). */
  readonly errno: number;
  /** Name of the number, such as `ENOENT`. */
  readonly code: string;
  /** What was asked: `touch`, `change elements`. */
  readonly operation: string;
  /** Of what: a tuple, a set. */
  readonly subject: string;

  constructor(errno: number, operation: string, subject: string) {
    const code = errnoName(errno);
    const meaning = errnoMeaning(errno);
    super(`the kernel refused to ${operation} ${subject}: ${code}${meaning === '' ? '' : `, ${meaning}`}`);
    this.errno = errno;
    this.code = code;
    this.operation = operation;
    this.subject = subject;
  }
}

/** A reply that is not what the protocol says. The request may have been carried out. */
export class NetlinkReplyError extends Error {
  override readonly name = 'NetlinkReplyError';
  /** Byte offset in the datagram. */
  readonly offset: number;

  constructor(what: string, offset: number) {
    super(
      `malformed netlink reply: ${what} at offset ${offset}; this kernel is not one that is known to work`,
    );
    this.offset = offset;
  }
}

/** No answer within the bound. The request may have been carried out. */
export class NetlinkTimeoutError extends Error {
  override readonly name = 'NetlinkTimeoutError';

  constructor(operation: string, subject: string, timeoutMs: number) {
    super(`no answer from the kernel to "${operation} ${subject}" within ${timeoutMs} ms; try again`);
  }
}

/** A change kept being overtaken by another program's changes, or a dump by changes of what it lists. */
export class NetlinkConflictError extends Error {
  override readonly name = 'NetlinkConflictError';

  constructor(operation: string, subject: string, attempts: number, cause: unknown) {
    super(
      `could not ${operation} ${subject} in ${attempts} attempts: another program keeps changing it; stop that program and try again`,
      { cause },
    );
  }
}

/** The socket was closed while the request was under way, or before it. */
export class ChannelClosedError extends Error {
  override readonly name = 'ChannelClosedError';

  constructor(operation: string, subject: string) {
    super(`the netlink socket was closed before the kernel answered to "${operation} ${subject}"`);
  }
}
