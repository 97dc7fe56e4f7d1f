import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Role, Wanted } from '../cluster/snapshot.ts';
import type { WordOrder } from '../cluster/word-order.ts';
import { startOf, uptimeTicks } from '../system/process-start.ts';

/** The manager's words (without one: everybody's), and the operator's against them. */
export type WordLayer = 'wanted' | 'overruling';

/** How long an agent may take to start, in hundredths of a second since its process did. One that isn't up by then won't be. */
const STARTING_TICKS = 30_000;

/** What the agent leaves for others to read, and for itself to find again: files below the run directory. */
export class AgentFiles {
  readonly #run: string;
  readonly #written = new Map<string, string>();

  constructor(run: string) {
    this.#run = run;
  }

  /** Makes the directories, mode 0700. */
  prepare(): void {
    for (const directory of ['', 'wanted', 'overruling', 'words', 'groups', 'ready', 'pacemaker']) {
      mkdirSync(`${this.#run}/${directory}`, { recursive: true, mode: 0o700 });
    }
  }

  /** Forgets what was wanted and what was answered: the data plane is down, and no word about it holds any more. */
  forgetAll(): void {
    for (const directory of ['wanted', 'overruling', 'words', 'groups']) {
      rmSync(`${this.#run}/${directory}`, { recursive: true, force: true });
    }
  }

  /** Says that this process is the agent, for hooks to see: its number and its start. */
  noteAgent(): void {
    this.#noteProcess('agent');
  }

  /** The process that said so last and still runs, if one does. */
  runningAgent(): number | undefined {
    return this.#runningProcess('agent')?.pid;
  }

  forgetAgent(): void {
    this.#remove('agent');
  }

  /** Says that this process is becoming the agent. hooks/start-agent says it before Node.js is up. */
  noteStarting(): void {
    mkdirSync(this.#run, { recursive: true, mode: 0o700 });
    this.#noteProcess('starting');
  }

  /** The process that is becoming the agent, if one is; as hooks/common.sh judges it. */
  startingAgent(): number | undefined {
    const found = this.#runningProcess('starting');
    return found !== undefined && uptimeTicks() - found.start <= STARTING_TICKS ? found.pid : undefined;
  }

  forgetStarting(): void {
    this.#remove('starting');
  }

  /** The same, where nothing came of it: a directory that was made for it goes, too. */
  abandonStarting(): void {
    this.forgetStarting();
    try {
      rmdirSync(this.#run);
    } catch {
      // There is something in it.
    }
  }

  /** Says that this process stands in for an agent. */
  noteStandIn(): void {
    this.#noteProcess('stand-in');
  }

  /** The process that stands in for an agent, if one does. */
  runningStandIn(): number | undefined {
    return this.#runningProcess('stand-in')?.pid;
  }

  /** Where hooks leave their words. */
  get words(): string {
    return `${this.#run}/words`;
  }

  /** Remembers the manager's process that has called a hook. */
  noteManager({ pid, start }: { readonly pid: number; readonly start: number }): void {
    this.#write('manager', `${pid} ${start}\n`);
  }

  readManager(): { readonly pid: number; readonly start: number } | undefined {
    const [pid, start] = (this.#read('manager') ?? '').trim().split(' ').map(Number);
    return pid && start ? { pid, start } : undefined;
  }

  /** Which configuration the conntrackd that runs was started with, for an agent that is started meanwhile. */
  get conntrackdMemory(): {
    readonly read: () => string | undefined;
    readonly write: (text: string) => void;
  } {
    return {
      read: () => this.#read('conntrackd'),
      write: (text) => this.#write('conntrackd', text),
    };
  }

  /** Which orders to delete the kernel's flows were dealt with, for an agent that is started later. */
  get flushMemory(): {
    readonly read: () => string | undefined;
    readonly write: (text: string) => void;
  } {
    return {
      read: () => this.#read('flushes'),
      write: (text) => this.#write('flushes', text),
    };
  }

  /** Says that the agent is well at this moment. Its age tells hooks and keepalived whether it still is. */
  beat(): void {
    writeAtomically(`${this.#run}/heartbeat`, `${uptimeTicks()}\n`);
  }

  /** Seconds since the last beat; Infinity if there is none that can be read. */
  beatAge(): number {
    const at = Number(this.#read('heartbeat')?.trim() || Number.NaN);
    return Number.isInteger(at) ? (uptimeTicks() - at) / 100 : Number.POSITIVE_INFINITY;
  }

  /** Whether the operator has stopped this node: hooks then start nothing. */
  noteStopped(stopped: boolean): void {
    stopped ? this.#write('stopped', '') : this.#remove('stopped');
  }

  get isStopped(): boolean {
    return this.#read('stopped') !== undefined;
  }

  noteDrained(drained: boolean): void {
    drained ? this.#write('drained', '') : this.#remove('drained');
  }

  get isDrained(): boolean {
    return this.#read('drained') !== undefined;
  }

  /** Whether an agent has joined the cluster since the data plane of this id was loaded. */
  hasJoined(id: string): boolean {
    return this.#read('joined')?.trim() === id;
  }

  noteJoined(id: string): void {
    this.#write('joined', `${id}\n`);
  }

  /** Keeps a word and when it was said, so that a restarted agent knows it. */
  keepWanted(group: string, wanted: Wanted, { ticks, pid }: WordOrder, layer: WordLayer = 'wanted'): void {
    this.#write(`${layer}/${group}`, `${wanted.role} ${wanted.by} ${wanted.word} ${ticks} ${pid}\n`);
  }

  forgetWanted(group: string, layer: WordLayer = 'wanted'): void {
    this.#remove(`${layer}/${group}`);
  }

  /** The word that was kept, if there is one that can be read. */
  readWanted(
    group: string,
    now: number,
    layer: WordLayer = 'wanted',
  ): (Wanted & { readonly order: WordOrder }) | undefined {
    const [role, by, word, ticks, pid] = this.#read(`${layer}/${group}`)?.trim().split(' ') ?? [];
    if ((role !== 'owner' && role !== 'replica') || !isKept(by) || !word) {
      return undefined;
    }
    const order = { ticks: Number(ticks) || 0, pid: Number(pid) || 0 };
    return { role, by, word, since: now, force: false, order };
  }

  /** A group's answer, which a shell can read without starting Node. */
  writeGroup(group: string, role: Role, reason: string, time: string): void {
    this.#write(`groups/${group}`, `${JSON.stringify({ group, role, reason, time })}\n`);
  }

  /**
   * What keepalived's track_file reads. Compared with what is there, since keepalived overwrites it when it starts.
   * Returns whether it changed.
   */
  writeReady(group: string, priority: number): boolean {
    const text = `${priority}\n`;
    if (this.#read(`ready/${group}`) === text) {
      return false;
    }
    writeAtomically(`${this.#run}/ready/${group}`, text);
    return true;
  }

  /** The resource that Pacemaker has started for a group on this node (hooks/ocf/group), if it has. */
  resourceOf(group: string): string | undefined {
    return this.#read(`pacemaker/${group}`)?.trim().split(' ')[1];
  }

  /** What hooks/ocf/group compares Pacemaker's other resources with. */
  writeAddresses(addresses: readonly string[]): void {
    this.#write('addresses', addresses.map((address) => `${address}\n`).join(''));
  }

  /** Whether the track file is there, whatever it says. */
  isReadyWritten(group: string): boolean {
    return this.#read(`ready/${group}`) !== undefined;
  }

  #noteProcess(name: string): void {
    this.#write(name, `${process.pid} ${startOf('self') ?? 0}\n`);
  }

  #runningProcess(name: string): { readonly pid: number; readonly start: number } | undefined {
    const [pid, start] = (this.#read(name) ?? '').trim().split(' ').map(Number);
    return pid && start && startOf(pid) === start ? { pid, start } : undefined;
  }

  #write(name: string, text: string): void {
    if (this.#written.get(name) !== text) {
      writeAtomically(`${this.#run}/${name}`, text);
      this.#written.set(name, text);
    }
  }

  #remove(name: string): void {
    this.#written.delete(name);
    rmSync(`${this.#run}/${name}`, { force: true });
  }

  #read(name: string): string | undefined {
    try {
      return readFileSync(`${this.#run}/${name}`, 'utf8');
    } catch {
      return undefined;
    }
  }
}

const isKept = (by: string | undefined): by is Exclude<Wanted['by'], 'start'> =>
  by === 'keepalived' || by === 'pacemaker' || by === 'operator';

/** By rename, so that a reader sees the old text or the new. In order and at once: the newest word must win. */
const writeAtomically = (path: string, text: string): void => {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
};
