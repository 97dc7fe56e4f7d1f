import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type KeepalivedWord, wordOf } from '../../../src/managers/keepalived/line.ts';
import { type Caller, parseSpooled, WordSpool } from '../../../src/managers/word-spool.ts';
import { startOf, uptimeTicks } from '../../../src/system/process-start.ts';

describe('a file of the spool', () => {
  it('holds a word, who says it, and when', () => {
    expect(parseSpooled('fw1_fw2.1234.77', 'MASTER 55 1000\n', wordOf)).toEqual({
      group: 'fw1_fw2',
      word: 'MASTER',
      order: { ticks: 1234, pid: 77 },
      caller: { pid: 55, start: 1000 },
    });
    expect(parseSpooled('fw1_fw2.1234.77', 'FAULT 0 0\n', wordOf)).toMatchObject({ caller: undefined });
  });

  it.each(['', 'MAST', 'MASTER 55 1000'])('that holds %j is not whole yet', (text) => {
    expect(parseSpooled('fw1_fw2.1234.77', text, wordOf)).toBeUndefined();
  });

  it.each([
    ['fw1_fw2.1234.77', 'BOSS 55 1000\n'],
    ['fw1_fw2.1234.77', 'MASTER 55\n'],
    ['fw1_fw2.1234.77', 'MASTER 55 1000\nMASTER 55 1000\n'],
    ['fw1_fw2.1234.77', 'MASTER -1 1000\n'],
    ['fw1.1234.77', 'MASTER 55 1000\n'],
    ['fw1_fw2.1234', 'MASTER 55 1000\n'],
    ['..', 'MASTER 55 1000\n'],
    ['fw1_fw2.1234.77.swp', 'MASTER 55 1000\n'],
  ])('%j with %j is none of a hook', (name, text) => {
    expect(parseSpooled(name, text, wordOf)).toMatchObject({ ignored: expect.stringContaining(name) });
  });
});

const made: string[] = [];
const spools: WordSpool<KeepalivedWord>[] = [];

const spoolAt = (now: () => number = uptimeTicks, caller?: Caller) => {
  const directory = mkdtempSync(join(tmpdir(), 'conntrack-ha-spool-'));
  made.push(directory);
  const words: string[] = [];
  const ignored: string[] = [];
  const runs: boolean[] = [];
  const open = (): WordSpool<KeepalivedWord> => {
    const spool = new WordSpool(directory, wordOf, caller, now, {
      word: ({ group, word, order }) => words.push(`${group} ${word} ${order.ticks}.${order.pid}`),
      ignored: (reason) => ignored.push(reason),
      manager: (alive) => runs.push(alive),
    });
    spools.push(spool);
    return spool;
  };
  const leave = (name: string, text: string): void => writeFileSync(join(directory, name), text);
  return { directory, words, ignored, runs, open, leave };
};

afterEach(() => {
  for (const spool of spools.splice(0)) {
    spool.close();
  }
  for (const directory of made.splice(0)) {
    rmSync(directory, { recursive: true });
  }
});

describe('the spool', () => {
  it('gives the words in the order in which they were said, whatever their names, and removes them', () => {
    const { directory, words, open, leave } = spoolAt();
    leave('fw2_fw1.900.5', 'MASTER 0 0\n');
    leave('fw1_fw2.1000.9', 'MASTER 0 0\n');
    leave('fw1_fw2.1000.10', 'BACKUP 0 0\n');
    leave('fw1_fw2.99.11', 'FAULT 0 0\n');
    open();
    expect(words).toEqual([
      'fw1_fw2 FAULT 99.11',
      'fw2_fw1 MASTER 900.5',
      'fw1_fw2 MASTER 1000.9',
      'fw1_fw2 BACKUP 1000.10',
    ]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('sees what is left later', async () => {
    const { words, open, leave } = spoolAt();
    open();
    leave('fw1_fw2.1000.9', 'MASTER 0 0\n');
    await expect.poll(() => words).toEqual(['fw1_fw2 MASTER 1000.9']);
  });

  it('waits for the end of a word, and gives up one whose hook was killed', () => {
    let now = 1000;
    const { directory, words, ignored, open, leave } = spoolAt(() => now);
    leave('fw1_fw2.1000.9', 'MAST');
    const spool = open();
    now = 1500;
    spool.look();
    expect(readdirSync(directory)).toHaveLength(1);
    now = 1501;
    spool.look();
    expect(ignored).toEqual(['fw1_fw2.1000.9: its hook was killed before it had written its word']);
    expect(readdirSync(directory)).toEqual([]);
    expect(words).toEqual([]);
  });

  it('says once what it can’t read, and removes it', () => {
    const { directory, ignored, open, leave } = spoolAt();
    leave('rubbish', 'x\n');
    const spool = open();
    spool.look();
    expect(ignored).toEqual(['rubbish: not a name that a hook gives']);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('knows whether the keepalived that spoke last runs, by its start as well', () => {
    const start = startOf(process.pid) ?? 0;
    const living = spoolAt(uptimeTicks, { pid: process.pid, start });
    living.open();
    expect(living.runs).toEqual([true]);
    living.leave('fw1_fw2.1.1', `STOP ${process.pid} ${start + 1}\n`);
    spools.at(-1)?.look();
    expect(living.runs).toEqual([true, false]);
    const silent = spoolAt();
    silent.open();
    expect(silent.runs).toEqual([]);
  });
});
