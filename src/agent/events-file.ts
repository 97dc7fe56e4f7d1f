import { appendFileSync, readFileSync, renameSync, statSync } from 'node:fs';

/** Bytes of one of the two files: some thousands of steps. */
const LIMIT = 512 * 1024;

/** The last transitions of this node, kept over restarts of the agent: `events` below the run directory, and the one before. */
export class EventsFile {
  readonly #path: string;
  readonly #limit: number;

  constructor(run: string, limit = LIMIT) {
    this.#path = `${run}/events`;
    this.#limit = limit;
  }

  /** Appends whole lines. Throws what the file system says. */
  append(lines: string): void {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    if (size > 0 && size + lines.length > this.#limit) {
      renameSync(this.#path, `${this.#path}.1`);
    }
    appendFileSync(this.#path, lines, { mode: 0o600 });
  }

  /** Everything that is kept, the oldest first. */
  read(): string {
    return [`${this.#path}.1`, this.#path].map(readText).join('');
  }
}

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return '';
    }
    throw error;
  }
};
