import { connect, type Socket } from 'node:net';
import { endianness } from 'node:os';
import { setImmediate as nextCheckPhase } from 'node:timers/promises';
import PQueue from 'p-queue';
import { ConntrackdAbsent, ConntrackdError, ConntrackdStuck, ConntrackdUnfit } from './errors.ts';

/**
 * What may be asked of conntrackd, and nothing else (numbers: include/conntrackd.h of conntrack-tools). Left out
 * because they lose flows where replicas stand in the kernel:
 *
 * - 0, 38, 43 (-F) and 26 (-t) delete every flow in the kernel, at once or after PurgeTimeout.
 * - 1, 39, 44 (-R) load the replicas' copies into the internal cache; when a copy expires, its owner's flow is deleted.
 * - 42, 46 (-c expect, -c) commit expectations, which aren't replicated; 18 is `-c ct`.
 * - 19, 45 (-f) drop both caches.
 * - 23 (-n) has the peer send a cache of which nobody has said that it is clean.
 * - 20 (-k) ends the daemon; starting and stopping it is the administrator's.
 * - 16, 24, 25, 40, 41, 47, 48 (-i, and -e but for flows as text) tell nothing that is needed.
 */
const COMMANDS = {
  /** The external cache as text, a flow a line, from a forked child: nothing when the fork fails. */
  dumpExternal: 17,
  /** Acts: puts the external cache into the kernel, replacing live entries. The answer ends when it is done. */
  commit: 18,
  statistics: 21,
  /** Acts: queues the whole internal cache for the peer. */
  bulk: 22,
  network: 28,
  cache: 29,
  runtime: 30,
  /** Every message not yet acknowledged, a line each: long when the queue is. */
  resendQueue: 32,
  /** Acts: forgets the internal cache, and what is queued or unacknowledged with it. Sends nothing. */
  flushInternal: 33,
  /** Acts: forgets the external cache. Sends nothing. */
  flushExternal: 34,
  process: 35,
  queue: 36,
} as const;

export type Command = keyof typeof COMMANDS;

export interface ControlOptions {
  /** Milliseconds that one command may take, from connecting to the end of the answer. */
  readonly timeout: number;
}

/** What those that act need; without it they do nothing, or harm. */
const NEEDED: Readonly<Partial<Record<Command, string>>> = {
  bulk: 'cache internal:',
  flushInternal: 'cache internal:',
  commit: 'cache external:',
  flushExternal: 'cache external:',
};

/** More than the resend queue can list: a million lines of 22 bytes. */
const LONGEST_ANSWER = 64 * 1024 * 1024;

/**
 * A client of conntrackd's control socket. The daemon has one thread and reads a command with a blocking read: a client
 * that connects and is slow to write stops replication. So each command has a connection of its own, written to at
 * once and read to the end, and there is one at a time.
 */
export class Control {
  readonly #path: string;
  readonly #timeout: number;
  readonly #queue = new PQueue({ concurrency: 1 });

  constructor(path: string, options: ControlOptions) {
    this.#path = path;
    this.#timeout = options.timeout;
  }

  /**
   * Sends a command and gives the whole answer. conntrackd reports no success: the end of the answer is all there is,
   * also of one that was killed meanwhile, so who acts compares `identityOf` before and after.
   *
   * What acts is sent only to a daemon that has answered the moment before, because what a stuck one was sent it does
   * when it runs on; and only to one with the cache that it acts on: without an internal one (DisableInternalCache)
   * conntrackd takes `flushInternal` for a flush of the kernel's table (src/internal_bypass.c), without an external one a
   * commit does nothing.
   *
   * @param timeout milliseconds, if it may take longer than others
   * @throws {ConntrackdAbsent} nobody listens
   * @throws {ConntrackdStuck} no answer in time; the command may still be carried out
   * @throws {ConntrackdUnfit} the command acts, and its cache isn't there
   */
  send(command: Command, timeout = this.#timeout): Promise<string> {
    return this.#queue.add(async () => {
      await this.#requireCache(command);
      return this.#exchange(command, timeout);
    });
  }

  /**
   * Sends a command and gives its answer piece by piece, however long it is: no piece for the timeout ends it with
   * ConntrackdStuck. Leaving the loop or `signal` ends it too. No other command is sent meanwhile.
   */
  async *stream(command: Command, signal?: AbortSignal): AsyncGenerator<string, void, undefined> {
    const turn = await this.#turn();
    await soon();
    const socket = this.#open(command);
    const abort = (): void => {
      socket.destroy();
    };
    try {
      signal?.addEventListener('abort', abort, { once: true });
      signal?.throwIfAborted();
      socket.setEncoding('latin1');
      socket.setTimeout(this.#timeout, () => socket.destroy(this.#stuck(command)));
      for await (const piece of socket) {
        yield String(piece);
      }
      signal?.throwIfAborted();
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof ConntrackdError || !(error instanceof Error)
        ? error
        : this.#explain(command, error);
    } finally {
      signal?.removeEventListener('abort', abort);
      socket.destroy();
      turn();
    }
  }

  /** Waits until no other command is under way; what it returns ends the turn. */
  #turn(): Promise<() => void> {
    return new Promise((begun) => {
      void this.#queue.add(() => new Promise<void>((ended) => begun(ended)));
    });
  }

  async #requireCache(command: Command): Promise<void> {
    const needed = NEEDED[command];
    if (needed === undefined) {
      return;
    }
    const statistics = await this.#exchange('statistics', this.#timeout);
    if (!statistics.split('\n').includes(needed)) {
      const [first = ''] = statistics.split('\n');
      const what = needed === 'cache internal:' ? 'internal' : 'external';
      throw new ConntrackdUnfit(
        `${command} not sent: conntrackd at ${this.#path} has no ${what} cache (it says "${first.slice(0, 80)}"); ` +
          'configure it as `conntrack-ha render conntrackd` prints and restart it',
      );
    }
  }

  #open(command: Command): Socket {
    const socket = connect(this.#path);
    writeCommand(socket, command);
    return socket;
  }

  async #exchange(command: Command, timeout: number): Promise<string> {
    await soon();
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let length = 0;
      const socket = this.#open(command);
      const fail = (error: Error): void => {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      const timer = setTimeout(() => fail(this.#stuck(command, timeout)), timeout);
      socket.on('data', (chunk) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > LONGEST_ANSWER) {
          fail(
            new ConntrackdError(`conntrackd's answer to ${command} at ${this.#path} has no end; restart it`),
          );
        }
      });
      socket.on('error', (error: NodeJS.ErrnoException) => fail(this.#explain(command, error)));
      socket.on('end', () => {
        clearTimeout(timer);
        socket.destroy();
        resolve(Buffer.concat(chunks).toString('latin1'));
      });
    });
  }

  #explain(command: Command, cause: NodeJS.ErrnoException): ConntrackdError {
    switch (cause.code) {
      case 'ENOENT':
      case 'ECONNREFUSED':
        return new ConntrackdAbsent(
          `no conntrackd listens on ${this.#path}; start it, or set paths.conntrackd to the Path of its UNIX section`,
          { cause },
        );
      case 'ECONNRESET':
      case 'EPIPE':
        return new ConntrackdAbsent(
          `conntrackd at ${this.#path} ended during ${command}; see its log, start it`,
          {
            cause,
          },
        );
      case 'EAGAIN':
        // The backlog of 100 connections is full: only a stopped daemon lets it come to that.
        return this.#stuck(command, this.#timeout, cause);
      case 'EACCES':
      case 'EPERM':
        return new ConntrackdError(`may not connect to conntrackd at ${this.#path}; run as root`, { cause });
      default:
        return new ConntrackdError(
          `cannot ask conntrackd at ${this.#path} for ${command}: ${cause.message}`,
          {
            cause,
          },
        );
    }
  }

  #stuck(command: Command, timeout = this.#timeout, cause?: Error): ConntrackdStuck {
    return new ConntrackdStuck(
      `conntrackd at ${this.#path} takes connections and doesn't answer ${command} within ${timeout} ms; ` +
        'if it stays so, kill and start it',
      { cause },
    );
  }
}

/**
 * A connection is made in the call, the write follows when the loop comes round. In the check phase little stands between
 * the two, and least of all the caller's own work.
 */
const soon = (): Promise<void> => nextCheckPhase();

/** A native int, as read(2) of src/run.c's local_handler takes it. */
const writeCommand = (socket: Socket, command: Command): void => {
  const request = Buffer.alloc(4);
  if (endianness() === 'LE') {
    request.writeInt32LE(COMMANDS[command]);
  } else {
    request.writeInt32BE(COMMANDS[command]);
  }
  socket.write(request);
};
