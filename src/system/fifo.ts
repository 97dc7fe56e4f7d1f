import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { LineSplitter } from './lines.ts';
import { run } from './run.ts';

/** Longest line that anybody writes into one: PIPE_BUF, so that a line is one write (pipe(7)). */
const LINE_LIMIT = 4096;
const RETRY_MS = 100;

/** A FIFO could not be made or is something else. */
export class FifoError extends Error {
  override readonly name = 'FifoError';
}

export interface FifoEvents {
  readonly line: (line: string) => void;
  /** Whether somebody has it open for writing. */
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
 * file tells that the last writer is gone.
 */
export class FifoReader {
  readonly #path: string;
  readonly #events: FifoEvents;
  readonly #timer: NodeJS.Timeout;
  #socket: Socket | undefined;
  #inode: number | undefined;
  #writer: boolean | undefined;
  #closed = false;

  constructor(path: string, events: FifoEvents) {
    this.#path = path;
    this.#events = events;
    this.#timer = setInterval(() => this.#look(), RETRY_MS);
    this.#look();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#socket?.destroy();
  }

  #look(): void {
    const inode = stat(this.#path)?.ino;
    if (this.#socket !== undefined && inode === this.#inode) {
      return;
    }
    if (this.#socket !== undefined && inode === undefined) {
      return; // removed: its writer may still have lines, the end of file will tell
    }
    const fd = this.#open();
    if (fd === undefined) {
      this.#tell(false);
      return;
    }
    this.#attach(fd);
  }

  /** A descriptor if somebody writes. Without a writer a read gives end of file at once (fifo(7)). */
  #open(): number | undefined {
    let fd: number;
    try {
      fd = openSync(this.#path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    } catch {
      return undefined;
    }
    const found = fstatSync(fd);
    if (found.isFIFO() && !atEnd(fd, this.#pushEarly)) {
      this.#inode = found.ino;
      return fd;
    }
    closeSync(fd);
    return undefined;
  }

  #early: Buffer | undefined;
  readonly #pushEarly = (chunk: Buffer): void => {
    this.#early = chunk;
  };

  #attach(fd: number): void {
    this.#socket?.destroy();
    const splitter = new LineSplitter(LINE_LIMIT, this.#events.line, (bytes) =>
      this.#events.garbage(`a line of ${bytes} bytes`),
    );
    const socket = new Socket({ fd, readable: true, writable: false });
    this.#socket = socket;
    this.#tell(true);
    if (this.#early !== undefined) {
      splitter.push(this.#early);
      this.#early = undefined;
    }
    socket.on('data', (chunk) => splitter.push(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (this.#closed) {
        return;
      }
      const cut = splitter.end();
      if (cut > 0) {
        this.#events.garbage(`${cut} bytes without an end of line`);
      }
      if (this.#socket === socket) {
        this.#socket = undefined;
        this.#look();
      }
    });
  }

  #tell(present: boolean): void {
    if (this.#writer !== present) {
      this.#writer = present;
      this.#events.writer(present);
    }
  }
}

/** Whether a non-blocking read finds the end of file; what it finds instead goes to `push`. */
const atEnd = (fd: number, push: (chunk: Buffer) => void): boolean => {
  const buffer = Buffer.alloc(LINE_LIMIT);
  try {
    const bytes = readSync(fd, buffer);
    if (bytes > 0) {
      push(buffer.subarray(0, bytes));
    }
    return bytes === 0;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') {
      return false;
    }
    throw error;
  }
};

const stat = (path: string): ReturnType<typeof lstatSync> => lstatSync(path, { throwIfNoEntry: false });
