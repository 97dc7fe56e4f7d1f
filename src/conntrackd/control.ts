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
 * - 18, 42, 46 (-c) replace live entries by cached ones; a no-op with the external cache disabled.
 * - 19, 45 (-f) and 34 (-f external) drop the external cache, all that a node has of its peers with `replicas: cache`.
 * - 23 (-n) has the peer send a cache of which nobody has said that it is clean.
 * - 20 (-k) ends the daemon; starting and stopping it is the administrator's.
 * - 16, 17, 24, 25, 40, 41, 47, 48 (-i, -e) fork, and answer nothing when the fork fails.
 */
const COMMANDS = {
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
  process: 35,
  queue: 36,
} as const;

export type Command = keyof typeof COMMANDS;

export interface ControlOptions {
  /** Milliseconds that one command may take, from connecting to the end of the answer. */
  readonly timeout: number;
}

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
   * `bulk` and `flushInternal` are sent only to a daemon that has answered the moment before, because what a stuck one
   * was sent it does when it runs on; and only to one with an internal cache, because without it (DisableInternalCache)
   * conntrackd takes `flushInternal` for a flush of the kernel's table (src/internal_bypass.c).
   *
   * @throws {ConntrackdAbsent} nobody listens
   * @throws {ConntrackdStuck} no answer in time; the command may still be carried out
   * @throws {ConntrackdUnfit} the command acts, and there is no internal cache
   */
  send(command: Command): Promise<string> {
    return this.#queue.add(async () => {
      if (command === 'bulk' || command === 'flushInternal') {
        await this.#requireInternalCache(command);
      }
      return this.#exchange(command);
    });
  }

  async #requireInternalCache(command: Command): Promise<void> {
    const statistics = await this.#exchange('statistics');
    if (!statistics.startsWith('cache internal:')) {
      const [first = ''] = statistics.split('\n');
      throw new ConntrackdUnfit(
        `${command} not sent: conntrackd at ${this.#path} has no internal cache (it says "${first.slice(0, 80)}"); ` +
          'configure it as `conntrack-ha render conntrackd` prints and restart it',
      );
    }
  }

  async #exchange(command: Command): Promise<string> {
    // The connection is made in this call, the write follows when the loop comes round. In the check phase little
    // stands between the two, and least of all the caller's own work.
    await nextCheckPhase();
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let length = 0;
      const socket = connect(this.#path);
      const fail = (error: Error): void => {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      const timer = setTimeout(() => fail(this.#stuck(command)), this.#timeout);
      writeCommand(socket, command);
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
        return this.#stuck(command, cause);
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

  #stuck(command: Command, cause?: Error): ConntrackdStuck {
    return new ConntrackdStuck(
      `conntrackd at ${this.#path} takes connections and doesn't answer ${command} within ${this.#timeout} ms; ` +
        'if it stays so, kill and start it',
      { cause },
    );
  }
}

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
