import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa, type ResultPromise } from 'execa';
import { Daemon } from './daemon.ts';
import { onlyChild, signal } from './processes.ts';
import { until } from './wait.ts';

const INIT = fileURLToPath(new URL('init.sh', import.meta.url));
const BOOTED_INIT = fileURLToPath(new URL('../booted/init.sh', import.meta.url));

const HOLDER = { reject: false, buffer: false, detached: true, cleanup: false } as const;

export interface MachineOptions {
  /** Id of the run, shown in the process list. */
  readonly run: string;
  readonly name: string;
  /** Where the output of its programs goes. */
  readonly logs: string;
  /** A directory with `etc` and `log`, that become its /etc and /var/log; without it, it sees the host's. */
  readonly tree?: string;
  /** It gets a Debian of its own, with systemd, when it is switched on: as installed below `root`, and what it has written in `own`. */
  readonly disk?: { readonly root: string; readonly own: string };
}

/**
 * A computer of the lab: namespaces of its own for network, processes, mounts, host name and IPC, with its own /run.
 * They have no names on the host: they live as long as their first process, which ends when this process does.
 */
export class Machine {
  /** Pid of its init, in the host's numbering. */
  readonly pid: number;
  readonly name: string;
  readonly #logs: string;
  readonly #holder: ResultPromise<typeof HOLDER>;
  readonly #daemons: Daemon[] = [];
  readonly #guests: { close(): Promise<void> }[] = [];

  private constructor(options: MachineOptions, pid: number, holder: ResultPromise<typeof HOLDER>) {
    this.name = options.name;
    this.pid = pid;
    this.#logs = options.logs;
    this.#holder = holder;
  }

  static async start(options: MachineOptions): Promise<Machine> {
    const unshare = ['--net', '--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child', '--mount-proc'];
    const id = `conntrack-ha-lab-${options.run}`;
    const { disk } = options;
    const init =
      disk === undefined
        ? ['bash', INIT, options.name, options.tree ?? '', id]
        : ['bash', BOOTED_INIT, options.name, disk.root, disk.own, `${id}-${options.name}`];
    // systemd doesn't end with its stdin.
    const holder = execa('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...unshare, '--', ...init], HOLDER);
    let errors = '';
    holder.stderr.on('data', (data) => {
      errors += String(data);
    });
    const ready = new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve());
      holder.once('close', () => reject(new Error(`machine ${options.name} did not start: ${errors}`)));
    });
    await ready;
    holder.stdout.resume();
    if (holder.pid === undefined) {
      throw new Error(`machine ${options.name} has no process`);
    }
    return new Machine(options, await onlyChild(holder.pid), holder);
  }

  /** Has systemd begin, in a machine with a disk of its own. */
  switchOn(): void {
    this.#holder.stdin.write('\n');
  }

  /** Resolves when all its processes have ended: it was killed, or has shut itself down. */
  async ended(): Promise<void> {
    await this.#holder;
    await Promise.all(this.#guests.map((guest) => guest.close()));
    await Promise.all(this.#daemons.map(({ ended }) => ended));
    await until(`the end of ${this.name}`, () => !existsSync(`/proc/${this.pid}/ns/net`), 5000);
  }

  /** Runs a program in the machine to its end. Returns its standard output; throws execa's error if it fails. */
  async run(argv: readonly string[], options: { input?: string; boundMs?: number } = {}): Promise<string> {
    const [program = '', ...args] = [...this.entrance, ...argv];
    const { stdout } = await execa(program, args, {
      input: options.input ?? '',
      timeout: options.boundMs ?? 30_000,
    });
    return stdout;
  }

  /** Runs `ip -batch` (or bridge) with the given lines in the machine's network, with the host's process numbers. */
  async ip(lines: readonly string[], program: 'ip' | 'bridge' = 'ip'): Promise<void> {
    await execa('nsenter', [`--net=/proc/${this.pid}/ns/net`, '--', program, '-batch', '-'], {
      input: `${lines.join('\n')}\n`,
    });
  }

  /** Starts a program that stays. Its output is appended to NAME.log among the machine's logs. */
  async spawn(
    name: string,
    argv: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Daemon> {
    const log = join(this.#logs, `${this.name}-${name}.log`);
    const daemon = await Daemon.start(name, this.entrance, argv, log, env);
    this.#daemons.push(daemon);
    return daemon;
  }

  /** The command line that leads into the machine. */
  get entrance(): readonly string[] {
    return ['nsenter', '-t', String(this.pid), '-m', '-u', '-i', '-n', '-p', '--'];
  }

  /** A path inside the machine, as seen from here. */
  path(inside: string): string {
    return join(`/proc/${this.pid}/root`, inside);
  }

  /** Stops (SIGSTOP) every process but the first, or lets them run on. */
  async freeze(frozen: boolean): Promise<void> {
    // Twice: a process may fork between being listed and being stopped. kill(2): -1 spares init and the caller.
    for (const _ of [1, 2]) {
      await this.run(['/bin/kill', frozen ? '-STOP' : '-CONT', '--', '-1']).catch(() => undefined);
    }
    if (!frozen) {
      // nsenter stops itself when its child is stopped.
      for (const daemon of this.#daemons.filter(({ running }) => running)) {
        signal(daemon.entrance, 'SIGCONT');
      }
    }
  }

  /** To be closed before this machine ends: it holds one of its namespaces from outside. */
  host(guest: { close(): Promise<void> }): void {
    this.#guests.push(guest);
  }

  /** Ends every process in it at once and waits until its namespaces are gone. */
  async kill(): Promise<void> {
    await Promise.all(this.#guests.map((guest) => guest.close()));
    signal(this.pid, 'SIGKILL');
    for (const daemon of this.#daemons.filter(({ running }) => running)) {
      // nsenter stopped itself if its child was stopped; until it reaps the child, the namespaces stay.
      signal(daemon.entrance, 'SIGCONT');
    }
    await this.ended();
  }
}
