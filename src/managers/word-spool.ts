import { type FSWatcher, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { isOlder, type WordOrder } from '../cluster/word-order.ts';
import { startOf } from '../system/process-start.ts';

/** Between two looks when the kernel announces nothing. */
const LOOK_MS = 250;
/** Hundredths of a second after which a word without its end of line won't get one any more. */
const UNFINISHED_TICKS = 500;

/** The process that calls hooks. */
export interface Caller {
  readonly pid: number;
  readonly start: number;
}

/** A word that a hook has left; `W` are the words of the manager. */
export interface SpooledWord<W extends string> {
  readonly group: string;
  readonly word: W;
  readonly order: WordOrder;
  /** The process that called the hook; undefined if the hook couldn't tell. */
  readonly caller: Caller | undefined;
}

export interface SpoolEvents<W extends string> {
  readonly word: (word: SpooledWord<W>) => void;
  readonly ignored: (reason: string) => void;
  /** Whether the manager that called a hook last still runs. */
  readonly manager: (runs: boolean) => void;
}

/**
 * Reads a file of the spool: `GROUP.START.PID`, where START and PID are the hook's own, holds `WORD PID START` and an end
 * of line, where they are the caller's (hooks/common.sh). Undefined: it isn't whole yet.
 */
export const parseSpooled = <W extends string>(
  name: string,
  text: string,
  wordOf: (word: string) => W | undefined,
): SpooledWord<W> | { readonly ignored: string } | undefined => {
  const file = /^([A-Za-z0-9-]{1,63}_[A-Za-z0-9-]{1,63})\.(\d{1,15})\.(\d{1,10})$/.exec(name);
  if (file === null) {
    return { ignored: `${name.slice(0, 80)}: not a name that a hook gives` };
  }
  if (!text.endsWith('\n')) {
    return undefined;
  }
  const [, group = '', ticks, pid] = file;
  const line = /^([A-Z_]{1,32}) (\d{1,10}) (\d{1,15})\n$/.exec(text);
  const word = wordOf(line?.[1] ?? '');
  if (line === null || word === undefined) {
    return { ignored: `${name}: not a word that a hook writes` };
  }
  const caller = { pid: Number(line[2]), start: Number(line[3]) };
  return {
    group,
    word,
    order: { ticks: Number(ticks), pid: Number(pid) },
    caller: caller.pid > 0 ? caller : undefined,
  };
};

/** Takes the words that hooks leave in a directory, the oldest first, and removes them once they were taken. */
export class WordSpool<W extends string> {
  readonly #directory: string;
  readonly #wordOf: (word: string) => W | undefined;
  readonly #events: SpoolEvents<W>;
  readonly #now: () => number;
  readonly #lives: (caller: Caller) => boolean;
  readonly #watcher: FSWatcher;
  readonly #timer: NodeJS.Timeout;
  #caller: Caller | undefined;
  #runs: boolean | undefined;

  /**
   * Takes at once what is there.
   *
   * @param directory must be there
   * @param wordOf the manager's word of that name, if it is one
   * @param caller that is known to have called a hook last
   * @param now hundredths of a second since boot
   * @param lives whether the manager that called a hook runs; by default while the process does that called it
   */
  constructor(
    directory: string,
    wordOf: (word: string) => W | undefined,
    caller: Caller | undefined,
    now: () => number,
    events: SpoolEvents<W>,
    lives: (caller: Caller) => boolean = ({ pid, start }) => startOf(pid) === start,
  ) {
    this.#lives = lives;
    this.#wordOf = wordOf;
    this.#caller = caller;
    this.#directory = directory;
    this.#events = events;
    this.#now = now;
    this.#watcher = watch(directory, () => this.look());
    // The timer goes on where the watch has failed.
    this.#watcher.on('error', () => {});
    this.#timer = setInterval(() => this.look(), LOOK_MS);
    this.look();
  }

  close(): void {
    this.#watcher.close();
    clearInterval(this.#timer);
  }

  /** Takes what is there now. */
  look(): void {
    const words: { readonly name: string; readonly word: SpooledWord<W> }[] = [];
    for (const name of this.#names()) {
      const parsed = parseSpooled(name, this.#read(name), this.#wordOf);
      if (parsed === undefined) {
        this.#unfinished(name);
      } else if ('ignored' in parsed) {
        this.#events.ignored(parsed.ignored);
        this.#remove(name);
      } else {
        words.push({ name, word: parsed });
      }
    }
    words.sort((one, other) => (isOlder(one.word.order, other.word.order) ? -1 : 1));
    for (const { name, word } of words) {
      this.#caller = word.caller ?? this.#caller;
      this.#events.word(word);
      this.#remove(name);
    }
    this.#tellWhetherItRuns();
  }

  #tellWhetherItRuns(): void {
    if (this.#caller === undefined) {
      return;
    }
    const runs = this.#lives(this.#caller);
    if (runs !== this.#runs) {
      this.#runs = runs;
      this.#events.manager(runs);
    }
  }

  /** The hook is just writing it, or was killed before it could. */
  #unfinished(name: string): void {
    const ticks = Number(name.split('.')[1]);
    if (this.#now() - ticks > UNFINISHED_TICKS) {
      this.#events.ignored(`${name}: its hook was killed before it had written its word`);
      this.#remove(name);
    }
  }

  #names(): readonly string[] {
    try {
      return readdirSync(this.#directory);
    } catch {
      return [];
    }
  }

  #read(name: string): string {
    try {
      return readFileSync(`${this.#directory}/${name}`, 'latin1');
    } catch {
      return '';
    }
  }

  #remove(name: string): void {
    rmSync(`${this.#directory}/${name}`, { force: true, recursive: true });
  }
}
