import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { onlyChild, signal } from './processes.ts';

/** A long-running program inside a machine. Its output goes to a file in the run's directory. */
export class Daemon {
  /** Resolves when the program has ended. */
  readonly ended: Promise<void>;
  #running = true;

  private constructor(
    readonly name: string,
    /** In the host's numbering. */
    readonly pid: number,
    readonly log: string,
    readonly entrance: number,
    ended: Promise<unknown>,
  ) {
    this.ended = ended.then(() => {
      this.#running = false;
    });
  }

  /** Starts `argv` behind `entrance`, an nsenter command line that forks once; appends its output to `log`. */
  static async start(
    name: string,
    entrance: readonly string[],
    argv: readonly string[],
    log: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Daemon> {
    const output = { file: log, append: true } as const;
    const [program = '', ...args] = [...entrance, ...argv];
    const child = execa(program, args, {
      stdin: 'ignore',
      stdout: output,
      stderr: output,
      reject: false,
      buffer: false,
      detached: true,
      cleanup: false,
      env,
    });
    if (child.pid === undefined) {
      throw new Error(`${name} could not be started: ${String((await child).cause)}`);
    }
    return new Daemon(name, await onlyChild(child.pid), log, child.pid, child);
  }

  get running(): boolean {
    return this.#running;
  }

  /** Sends a signal and, if it is one that ends a program, waits for the end (bounded, then SIGKILL). */
  async kill(name: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    signal(this.pid, name);
    if (name === 'SIGCONT') {
      signal(this.entrance, name); // nsenter stops itself when its child is stopped
    }
    if (name === 'SIGTERM' || name === 'SIGINT' || name === 'SIGKILL') {
      signal(this.entrance, 'SIGCONT');
      const timer = setTimeout(() => signal(this.pid, 'SIGKILL'), 5000);
      await this.ended;
      clearTimeout(timer);
    }
  }

  /** What it has printed so far. */
  output(): Promise<string> {
    return readFile(this.log, 'utf8');
  }
}
