import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { LineSplitter } from './lines.ts';
import { run } from './run.ts';

/** Longest line that anybody writes into one: PIPE_BUF, so that a line is one write (pipe(7)). */
const LINE_LIMIT = 4096;
const RETRY_MS = 100;
/** What a pipe holds unless its writer has changed that, and how often that is read at once at most. */
const PIPE_BYTES = 65_536;
const CHUNKS = 32;

/** A FIFO could not be made or is something else. */
export class FifoError extends Error {
  override readonly name = 'FifoError';
}

export interface FifoEvents {
  readonly line: (line: string) => void;
  /** Whether somebody has it open for writing. A new writer is told by false, then true, however soon he comes. */
  readonly writer: (present: boolean) => void;
  /** Bytes that were no line: too long, or cut at the end. */
  readonly garbage: (reason: string) => void;
}

/** Makes the FIFO, mode 0600, unless it is there. Throws a FifoError if `path` is something else or another's. */
export const makeFifo = async (path: string): Promise<void> => {
  const before = stat(path);
  if (before === undefined) {
    await run('mkfifo', ['-m', '0600', path]);
    return;
  }
  if (!before.isFIFO() || before.uid !== process.getuid?.()) {
    throw new FifoError(`${path}: is not a FIFO of this user; remove it`);
  }
};

/**
 * Reads a FIFO for good: through writers that come and go, and through a FIFO that is removed and made again. Its end of
 * file tells that the last writer is gone. What lies in it when a writer is found is read whole before anything else
 * happens, so that an old line is never acted upon while a newer one waits behind it.
 */
export class FifoReader {
  readonly #path: string;
  readonly #events: FifoEvents;
  readonly #timer: NodeJS.Timeout;
  #source: Source | undefined;
  #writer: boolean | undefined;

  constructor(path: string, events: FifoEvents) {
    this.#path = path;
    this.#events = events;
    this.#timer = setInterval(() => this.#look(), RETRY_MS);
    this.#look();
  }

  close(): void {
    clearInterval(this.#timer);
    const source = this.#source;
    this.#source = undefined;
    source?.socket.destroy();
  }

  #look(): void {
    const inode = stat(this.#path)?.ino;
    if (this.#source !== undefined && (inode === undefined || inode === this.#source.inode)) {
      return; // if it was removed, its writer may still have lines: the end of file will tell
    }
    const found = open(this.#path);
    if (found !== undefined) {
      this.#leave();
      this.#attach(found);
    } else if (this.#source === undefined) {
      this.#tell(false);
    }
  }

  #attach({ fd, inode, waiting }: Found): void {
    const splitter = new LineSplitter(LINE_LIMIT, this.#events.line, (bytes) =>
      this.#events.garbage(`a line of ${bytes} bytes`),
    );
    const source = { socket: new Socket({ fd, readable: true, writable: false }), fd, inode, splitter };
    this.#source = source;
    this.#tell(true);
    splitter.push(waiting);
    source.socket.on('data', (chunk) => splitter.push(chunk));
    source.socket.on('error', () => source.socket.destroy());
    source.socket.on('close', () => {
      if (this.#source === source) {
        this.#end(source);
        this.#look();
      }
    });
  }

  /** Another FIFO has taken the place of the one that was read: what its writer has left there comes first. */
  #leave(): void {
    const source = this.#source;
    if (source !== undefined) {
      if (!source.socket.destroyed) {
        source.splitter.push(readWaiting(source.fd).bytes);
      }
      this.#end(source);
      source.socket.destroy();
    }
  }

  #end(source: Source): void {
    this.#source = undefined;
    const cut = source.splitter.end();
    if (cut > 0) {
      this.#events.garbage(`${cut} bytes without an end of line`);
    }
    this.#tell(false);
  }

  #tell(present: boolean): void {
    if (this.#writer !== present) {
      this.#writer = present;
      this.#events.writer(present);
    }
  }
}

interface Source {
  readonly socket: Socket;
  /** The socket's own: valid until that is destroyed. */
  readonly fd: number;
  readonly inode: number;
  readonly splitter: LineSplitter;
}

interface Found {
  readonly fd: number;
  readonly inode: number;
  readonly waiting: Buffer;
}

/** Opens it if somebody writes. Without a writer a read gives end of file at once (fifo(7)). */
const open = (path: string): Found | undefined => {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  const found = fstatSync(fd);
  if (found.isFIFO()) {
    const { bytes, ended } = readWaiting(fd);
    if (!ended || bytes.length > 0) {
      return { fd, inode: found.ino, waiting: bytes };
    }
  }
  closeSync(fd);
  return undefined;
};

/** All that can be read without waiting, up to a limit for one who writes without end; and whether that was the end. */
const readWaiting = (fd: number): { bytes: Buffer; ended: boolean } => {
  const chunks: Buffer[] = [];
  let ended = false;
  try {
    while (!ended && chunks.length < CHUNKS) {
      const buffer = Buffer.alloc(PIPE_BYTES);
      const length = readSync(fd, buffer);
      chunks.push(buffer.subarray(0, length));
      ended = length === 0;
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) {
      throw error;
    }
  }
  return { bytes: Buffer.concat(chunks), ended };
};

const stat = (path: string): ReturnType<typeof lstatSync> => lstatSync(path, { throwIfNoEntry: false });
