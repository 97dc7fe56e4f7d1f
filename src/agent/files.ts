import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Role, Wanted } from '../cluster/snapshot.ts';

/** What the agent leaves for others to read, and for itself to find again: files below the run directory. */
export class AgentFiles {
  readonly #run: string;
  readonly #written = new Map<string, string>();

  constructor(run: string) {
    this.#run = run;
  }

  /** Makes the directories, mode 0700. */
  prepare(): void {
    for (const directory of ['', 'wanted', 'groups', 'ready']) {
      mkdirSync(`${this.#run}/${directory}`, { recursive: true, mode: 0o700 });
    }
  }

  /** Forgets what was wanted and what was answered: the data plane is down, and no word about it holds any more. */
  forgetAll(): void {
    for (const directory of ['wanted', 'groups']) {
      rmSync(`${this.#run}/${directory}`, { recursive: true, force: true });
    }
  }

  /** Whether an agent has joined the cluster since the data plane of this id was loaded. */
  hasJoined(id: string): boolean {
    return this.#read('joined')?.trim() === id;
  }

  noteJoined(id: string): void {
    this.#write('joined', `${id}\n`);
  }

  /** Keeps the manager's word, so that a restarted agent knows it. */
  keepWanted(group: string, wanted: Wanted): void {
    this.#write(`wanted/${group}`, `${wanted.role} ${wanted.by} ${wanted.word}\n`);
  }

  forgetWanted(group: string): void {
    this.#written.delete(`wanted/${group}`);
    rmSync(`${this.#run}/wanted/${group}`, { force: true });
  }

  /** The word that was kept, if there is one that can be read. */
  readWanted(group: string, now: number): Wanted | undefined {
    const [role, by, word] = this.#read(`wanted/${group}`)?.trim().split(' ') ?? [];
    if ((role !== 'owner' && role !== 'replica') || (by !== 'keepalived' && by !== 'operator') || !word) {
      return undefined;
    }
    return { role, by, word, since: now, force: false };
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

  /** Whether the track file is there, whatever it says. */
  isReadyWritten(group: string): boolean {
    return this.#read(`ready/${group}`) !== undefined;
  }

  #write(name: string, text: string): void {
    if (this.#written.get(name) !== text) {
      writeAtomically(`${this.#run}/${name}`, text);
      this.#written.set(name, text);
    }
  }

  #read(name: string): string | undefined {
    try {
      return readFileSync(`${this.#run}/${name}`, 'utf8');
    } catch {
      return undefined;
    }
  }
}

/** By rename, so that a reader sees the old text or the new. In order and at once: the newest word must win. */
const writeAtomically = (path: string, text: string): void => {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
};
