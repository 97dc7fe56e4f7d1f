import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HOOKS = fileURLToPath(new URL('../../../hooks', import.meta.url));

/** The shells that must run the hooks: Debian's /bin/sh, and another that keeps to POSIX. */
export const SHELLS = ['/usr/bin/dash', '/usr/bin/bash --posix'] as const;

/** A word as a hook left it; `name` is its file's. */
export interface Word {
  readonly name: string;
  readonly group: string;
  readonly start: number;
  readonly pid: number;
  readonly text: string;
}

/** One call of the program that stands for conntrack-ha: its arguments, and the words' files that lay there then. */
export interface Call {
  readonly args: string;
  readonly saw: readonly string[];
  readonly fields: readonly string[];
}

/** The hooks in a directory of their own, with a run directory and a program to start. */
export class Sandbox {
  readonly root = mkdtempSync(join(tmpdir(), 'conntrack-ha-hooks-'));
  readonly run = join(this.root, 'run');
  readonly hooks = join(this.root, 'hooks');
  readonly #children: (ChildProcess & { readonly pid: number })[] = [];
  readonly #calls = join(this.root, 'calls');
  readonly #bin = join(this.root, 'bin');

  /** `shell` is what the hooks are run by. The first call of the program lasts until `letGo`. */
  constructor(shell: string = SHELLS[0], options: { readonly held?: boolean } = {}) {
    cpSync(HOOKS, this.hooks, { recursive: true });
    for (const path of readdirSync(this.hooks, { encoding: 'utf8', recursive: true })
      .map((name) => join(this.hooks, name))
      .filter((each) => statSync(each).isFile())) {
      writeFileSync(path, readFileSync(path, 'utf8').replace(/^#!.*/, `#!${shell}`));
    }
    for (const directory of [this.#calls, this.#bin]) {
      mkdirSync(directory);
    }
    if (options.held !== true) {
      this.letGo();
    }
    this.script(
      'program',
      `mkdir ${this.root}/alone || echo twice >>${this.root}/twice
       printf '%s\\n' "$*" $(ls ${this.run}/words) >${this.#calls}/$$.new
       cat /proc/$$/stat >${this.#calls}/$$.stat
       mv ${this.#calls}/$$.new ${this.#calls}/$(date +%s%N).$$
       while [ -d ${this.root} ] && [ ! -e ${this.root}/go ]; do sleep 0.02; done
       echo said by the program
       rmdir ${this.root}/alone`,
    );
    // What a hook has the kernel do is done by nobody.
    this.script('bin/nft', `echo "$*" >>${this.root}/nft\nexit 1`);
    // Tells what a hook started before it has returned.
    this.script('bin/setsid', `echo start >>${this.root}/starts\nexec /usr/bin/setsid "$@"`);
  }

  /** Makes an executable sh script below the sandbox. `bin` stands before the system's programs. */
  script(name: string, body: string): void {
    writeFileSync(join(this.root, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(this.root, name), 0o755);
  }

  get env(): Record<string, string> {
    return { PATH: `${this.#bin}:/usr/bin:/bin`, CONNTRACK_HA: join(this.root, 'program') };
  }

  /** Runs a hook to its end. */
  call(hook: string, args: readonly string[], env: Record<string, string> = this.env) {
    const argv = ['-r', this.run, ...args];
    return spawnSync(join(this.hooks, hook), argv, { env, encoding: 'utf8', timeout: 10_000 });
  }

  notify(...args: readonly string[]) {
    return this.call('keepalived-notify', args);
  }

  check() {
    return this.call('keepalived-check', []).status;
  }

  /** Starts a program that `remove` ends, in a process group of its own. */
  start(program: string, args: readonly string[]): ChildProcess & { readonly pid: number } {
    const child = spawn(program, args, { env: this.env, stdio: 'ignore', detached: true });
    if (child.pid === undefined) {
      throw new Error(`${program} didn't start`);
    }
    const started = Object.assign(child, { pid: child.pid });
    this.#children.push(started);
    return started;
  }

  startNotify(...args: readonly string[]): ChildProcess & { readonly pid: number } {
    return this.start(join(this.hooks, 'keepalived-notify'), ['-r', this.run, ...args]);
  }

  /** Starts so many as fast as a shell can. Returns their pids, in their order. */
  startNotifies(count: number, ...args: readonly string[]): readonly number[] {
    const hook = [join(this.hooks, 'keepalived-notify'), '-r', this.run, ...args].join(' ');
    const script = `i=0; while [ $i -lt ${count} ]; do ${hook} >/dev/null 2>&1 & echo $!; i=$((i + 1)); done; wait`;
    const { stdout } = spawnSync('/bin/sh', ['-c', script], { env: this.env, encoding: 'utf8' });
    return stdout.trim().split('\n').map(Number);
  }

  /** Starts a process that stands for the agent, and says what the agent says of itself. Returns its pid. */
  startAgent(): number {
    const { pid } = this.start('/usr/bin/sleep', ['1000']);
    this.write('agent', `${pid} ${startOf(pid)}\n`);
    this.beat(0);
    return pid;
  }

  /** The agent's last good round was so many hundredths of a second ago. */
  beat(age: number): void {
    this.write('heartbeat', `${uptime() - age}\n`);
  }

  write(name: string, text: string): void {
    mkdirSync(join(this.run, 'words'), { recursive: true, mode: 0o700 });
    writeFileSync(join(this.run, name), text);
  }

  /** Takes the words, as an agent does. */
  hear(): void {
    for (const { name } of this.words()) {
      rmSync(join(this.run, 'words', name));
    }
  }

  /** The words in the order of their hooks' starts. */
  words(): Word[] {
    const directory = join(this.run, 'words');
    return (existsSync(directory) ? readdirSync(directory) : [])
      .map((name) => {
        const [group = '', start, pid] = name.split('.');
        const text = readFileSync(join(directory, name), 'utf8');
        return { name, group, start: Number(start), pid: Number(pid), text };
      })
      .sort((a, b) => a.start - b.start || a.pid - b.pid);
  }

  /** How often a hook has started the program, whether it runs already or not. */
  starts(): number {
    const path = join(this.root, 'starts');
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
  }

  /** The program's calls in the order of time. */
  calls(): Call[] {
    return readdirSync(this.#calls)
      .filter((name) => /^\d+\.\d+$/.test(name))
      .sort()
      .map((name) => {
        const [args = '', ...saw] = readFileSync(join(this.#calls, name), 'utf8').trimEnd().split('\n');
        const stat = readFileSync(join(this.#calls, `${name.split('.')[1]}.stat`), 'utf8');
        return { args, saw, fields: fieldsOf(stat) };
      });
  }

  letGo(): void {
    writeFileSync(join(this.root, 'go'), '');
  }

  /** Whether the program has run twice at the same time. */
  get hasOverlapped(): boolean {
    return existsSync(join(this.root, 'twice'));
  }

  isFree(lock: string): boolean {
    return spawnSync('/usr/bin/flock', ['-n', join(this.run, lock), 'true']).status === 0;
  }

  /** The processes of this sandbox whose command line holds `text`. */
  processes(text: string): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => commandLine(pid).includes(join(this.root, text)));
  }

  /** Ends what was started in it and removes it. */
  remove(): void {
    for (const { pid } of this.#children) {
      kill(pid);
    }
    // A process that is being replaced by another program has no command line for a moment: look until three times in a
    // row there was none.
    for (let round = 0, quiet = 0; quiet < 3 && round < 200; round++) {
      const left = this.processes('');
      left.forEach(kill);
      quiet = left.length === 0 ? quiet + 1 : 0;
    }
    rmSync(this.root, { recursive: true, maxRetries: 5 });
  }
}

/** Hundredths of a second since the boot. */
export const uptime = (): number =>
  Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]?.replace('.', ''));

/** A process's start, in clock ticks since the boot. */
export const startOf = (pid: number): number =>
  Number(fieldsOf(readFileSync(`/proc/${pid}/stat`, 'utf8'))[19]);

/** The fields after the name: index 0 is field 3. */
export const fieldsOf = (stat: string): string[] => stat.slice(stat.lastIndexOf(') ') + 2).split(' ');

/** Makes a program with another name out of `sh`, and returns its path. */
export const shellNamed = (sandbox: Sandbox, name: string): string => {
  const path = join(sandbox.root, name);
  execFileSync('cp', ['/usr/bin/dash', path]);
  return path;
};

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
};

const commandLine = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};
