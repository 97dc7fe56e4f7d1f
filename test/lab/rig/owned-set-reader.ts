import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

const LIST = 'list set netdev conntrack_ha owned\n';
const BOUND_MS = 10_000;

interface Reader {
  readonly take: (listing: string | undefined) => void;
  readonly fail: (error: Error) => void;
}

/**
 * Reads a node's owned set, again and again, through one nft that stays: a process for each look takes thirty times as much, from
 * the processors that the nodes share. With --check nft forgets after each answer what it knew of the tables. It runs in the
 * node's network alone, so that it is neither frozen nor listed with the node's processes.
 */
export class OwnedSetReader {
  readonly #nft: ChildProcessWithoutNullStreams;
  readonly #waiting: Reader[] = [];
  #out = '';
  #errors = '';

  /** @param pid a process in the node's network */
  constructor(pid: number) {
    this.#nft = spawn('nsenter', [
      `--net=/proc/${pid}/ns/net`,
      '--',
      'nft',
      '--json',
      '--check',
      '--interactive',
    ]);
    this.#nft.stdout.on('data', (data) => {
      // A listing is one line.
      this.#out = this.#take(this.#out + String(data), /^(.*)\n/, (line) => line);
    });
    this.#nft.stderr.on('data', (data) => {
      // An error is three, the last with marks below the second.
      this.#errors = this.#take(this.#errors + String(data), /^(.*\n.*\n *\^+)\n/, () => undefined);
    });
    this.#nft.stdin.on('error', () => {});
    this.#nft.on('close', () => this.#end('nft --interactive has ended'));
    this.#nft.on('error', ({ message }) => this.#end(message));
  }

  /** What `nft -j list set` prints; undefined if there is no such set. */
  async read(): Promise<string | undefined> {
    return new Promise((take, fail) => {
      const timer = setTimeout(
        () => this.#end(`no answer from nft --interactive within ${BOUND_MS} ms`),
        BOUND_MS,
      );
      this.#waiting.push({
        take: (listing) => {
          clearTimeout(timer);
          take(listing);
        },
        fail: (error) => {
          clearTimeout(timer);
          fail(error);
        },
      });
      this.#nft.stdin.write(LIST);
    });
  }

  /** Before the node's network goes: this would hold it. */
  async close(): Promise<void> {
    if (this.#nft.exitCode === null && this.#nft.signalCode === null) {
      const ended = new Promise((resolve) => this.#nft.once('close', resolve));
      this.#nft.kill('SIGKILL');
      await ended;
    }
  }

  /** Answers in the order in which they were asked for; returns what isn't whole yet. */
  #take(text: string, answer: RegExp, listing: (line: string) => string | undefined): string {
    let rest = text;
    for (let found = answer.exec(rest); found !== null; found = answer.exec(rest)) {
      this.#waiting.shift()?.take(listing(found[1] ?? ''));
      rest = rest.slice(found[0].length);
    }
    return rest;
  }

  #end(why: string): void {
    for (const { fail } of this.#waiting.splice(0)) {
      fail(new Error(why));
    }
  }
}
