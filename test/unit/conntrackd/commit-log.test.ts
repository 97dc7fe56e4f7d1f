import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCommit, readCommit, sizeOfLog } from '../../../src/conntrackd/commit-log.ts';

const line = (text: string): string => `[Wed Nov 25 07:35:02 2026] (pid=34) [notice] ${text}\n`;
const commit = (committed: number, refused = 0): string =>
  line('committing conntrack cache') +
  line(`Committed ${committed} new entries`) +
  (refused > 0 ? line(`${refused} entries can't be committed`) : '') +
  line('commit has taken 0.018735 seconds');

describe('parseCommit', () => {
  it.each([
    ['a commit', commit(1239), { committed: 1239, refused: 0 }],
    ['one with refusals', commit(7, 3), { committed: 7, refused: 3 }],
    ['the last of two', commit(7, 3) + commit(9), { committed: 9, refused: 0 }],
    [
      'one that was skipped',
      line('committing conntrack cache') + line('commit already in progress, skipping'),
      'skipped',
    ],
    ['one that has only begun', line('committing conntrack cache'), 'skipped'],
    ['nothing', '', 'skipped'],
    [
      'an end without its numbers',
      line('commit has taken 0.1 seconds'),
      { committed: undefined, refused: undefined },
    ],
  ])('reads %s', (_, text, expected) => {
    expect(parseCommit(text)).toEqual(expected);
  });
});

describe('readCommit', () => {
  let directory: string;
  let log: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'commit-log-'));
    log = join(directory, 'log');
  });

  afterEach(() => rm(directory, { recursive: true }));

  it('reads what was written since, behind any number of refused flows', async () => {
    await writeFile(log, commit(1));
    const from = await sizeOfLog(log);
    expect(await readCommit(log, from)).toBe('skipped');
    await appendFile(log, `${'tcp 6 ESTABLISHED src=192.168.0.3\n'.repeat(10_000)}${commit(5, 10_000)}`);
    expect(await readCommit(log, from)).toEqual({ committed: 5, refused: 10_000 });
  });

  it('reads a log that was emptied meanwhile from its beginning', async () => {
    await writeFile(log, commit(1).repeat(5));
    const from = await sizeOfLog(log);
    await truncate(log);
    await appendFile(log, commit(2));
    expect(await readCommit(log, from)).toEqual({ committed: 2, refused: 0 });
  });

  it('knows nothing without a log', async () => {
    expect(await sizeOfLog(log)).toBeUndefined();
    expect(await readCommit(log, undefined)).toEqual({ committed: undefined, refused: undefined });
    expect(await readCommit(log, 0)).toEqual({ committed: undefined, refused: undefined });
  });
});
