import { open, stat } from 'node:fs/promises';

/** What conntrackd's log says of a commit; undefined: it can't be read. */
export interface LoggedCommit {
  readonly committed: number | undefined;
  readonly refused: number | undefined;
}

/** The three lines that end a commit are its last ones; before them is one for each refused flow. */
const TAIL_BYTES = 64 * 1024;

const UNKNOWN: LoggedCommit = { committed: undefined, refused: undefined };

/** Bytes in the log now; undefined if there is none that can be read. */
export const sizeOfLog = async (path: string): Promise<number | undefined> => {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
};

/**
 * What the last commit that ended since the log was `from` bytes long has done; `skipped` if none has ended. conntrackd
 * writes line by line, before it closes the client's connection (src/log.c, cache_ct_commit in src/cache-ct.c).
 */
export const readCommit = async (
  path: string,
  from: number | undefined,
): Promise<LoggedCommit | 'skipped'> => {
  if (from === undefined) {
    return UNKNOWN;
  }
  let text: string;
  try {
    text = await tailOf(path, from);
  } catch {
    return UNKNOWN;
  }
  return parseCommit(text);
};

/** The last commit in a piece of the log. */
export const parseCommit = (text: string): LoggedCommit | 'skipped' => {
  const end = text.lastIndexOf('commit has taken ');
  if (end < 0) {
    return 'skipped';
  }
  const before = text.slice(0, end);
  const begin = before.lastIndexOf('Committed ');
  const committed = /^Committed (\d+) new entries$/m.exec(before.slice(begin))?.[1];
  const refused = /(\d+) entries can't be committed$/m.exec(before.slice(begin))?.[1];
  return committed === undefined ? UNKNOWN : { committed: Number(committed), refused: Number(refused ?? 0) };
};

/** What was written since, the end of it if it is long. A log that was cut short begins anew. */
const tailOf = async (path: string, from: number): Promise<string> => {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const start = Math.max(size < from ? 0 : from, size - TAIL_BYTES);
    const buffer = Buffer.alloc(size - start);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
};
