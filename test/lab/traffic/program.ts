import { createInterface } from 'node:readline';
import { execa } from 'execa';
import type { Machine } from '../rig/machine.ts';

/** A traffic program that runs in a machine and talks JSON, one value a line. */
export class Program<Says, Hears> {
  readonly #write: (line: string) => void;
  readonly #close: () => void;
  readonly #ended: Promise<void>;
  #errors = '';

  /** Starts `node FILE ARGUMENTS`, below `wrapper` if one is given; `take` gets every value that it says. */
  constructor(
    machine: Machine,
    argv: readonly string[],
    take: (value: Says) => void,
    wrapper: readonly string[] = [],
  ) {
    const [program = '', ...args] = [...wrapper, ...machine.entrance, process.execPath, ...argv];
    const child = execa(program, args, { reject: false, buffer: false, detached: true, cleanup: false });
    child.stdin.on('error', () => undefined);
    child.stderr.on('data', (data) => {
      this.#errors += String(data);
    });
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      const value: Says = JSON.parse(line);
      take(value);
    });
    this.#write = (line) => child.stdin.write(`${line}\n`);
    this.#close = () => child.stdin.end();
    this.#ended = Promise.all([child, new Promise((resolve) => lines.once('close', resolve))]).then(
      () => undefined,
    );
  }

  /** What it has printed to standard error: empty, unless it is broken. */
  get errors(): string {
    return this.#errors;
  }

  tell(value: Hears): void {
    this.#write(JSON.stringify(value));
  }

  /** Closes its input and waits for its last words and its end. */
  async end(): Promise<void> {
    this.#close();
    await this.#ended;
  }
}
