import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FifoError, FifoReader, makeFifo } from '../../../src/system/fifo.ts';

let directory: string;
let path: string;
const readers: FifoReader[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'conntrack-ha-fifo-'));
  path = join(directory, 'fifo');
});

afterEach(() => {
  for (const reader of readers.splice(0)) {
    reader.close();
  }
  rmSync(directory, { recursive: true });
});

const read = () => {
  const seen: string[] = [];
  const reader = new FifoReader(path, {
    line: (line) => seen.push(line),
    writer: (present) => seen.push(present ? '[writer]' : '[nobody]'),
    garbage: (reason) => seen.push(`[${reason}]`),
  });
  readers.push(reader);
  return { seen, reader };
};

/** Opens it for writing, as soon as somebody reads or at once. */
const openWriter = (): number => openSync(path, constants.O_RDWR | constants.O_NONBLOCK);

describe('makeFifo', () => {
  it('makes one that only its owner may use, and takes one that is there', async () => {
    await makeFifo(path);
    await makeFifo(path);
    expect(statSync(path).isFIFO()).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('refuses a file and a link', async () => {
    writeFileSync(path, '');
    await expect(makeFifo(path)).rejects.toThrow(FifoError);
    rmSync(path);
    symlinkSync('/dev/null', path);
    await expect(makeFifo(path)).rejects.toThrow(/is not a FIFO of this user; remove it/);
  });
});

describe('FifoReader', () => {
  it('reads lines, and tells when writers come and go', async () => {
    await makeFifo(path);
    const { seen } = read();
    expect(seen).toEqual(['[nobody]']);
    const writer = openWriter();
    writeSync(writer, 'one\ntwo\n');
    await vi.waitFor(() => expect(seen).toEqual(['[nobody]', '[writer]', 'one', 'two']));
    closeSync(writer);
    await vi.waitFor(() => expect(seen.at(-1)).toBe('[nobody]'));
  });

  it('tells what was cut when its writer is gone, and reads on with the next', async () => {
    await makeFifo(path);
    const { seen } = read();
    const writer = openWriter();
    writeSync(writer, 'half');
    await vi.waitFor(() => expect(seen).toContain('[writer]'));
    closeSync(writer);
    await vi.waitFor(() => expect(seen).toContain('[4 bytes without an end of line]'));
    const next = openWriter();
    writeSync(next, 'whole\n');
    await vi.waitFor(() => expect(seen.at(-1)).toBe('whole'));
    closeSync(next);
  });

  it('finds one that was made anew', async () => {
    await makeFifo(path);
    const { seen } = read();
    const before = openWriter();
    await vi.waitFor(() => expect(seen).toContain('[writer]'));
    rmSync(path);
    execFileSync('mkfifo', [path]);
    const writer = openWriter();
    writeSync(writer, 'new\n');
    await vi.waitFor(() => expect(seen).toContain('new'));
    closeSync(before);
    closeSync(writer);
  });

  it('reads a backlog whole before anything else can happen', async () => {
    await makeFifo(path);
    const writer = openWriter();
    const lines = Array.from({ length: 2000 }, (_, index) => `INSTANCE "fw1_fw2" BACKUP ${index}`);
    writeSync(writer, `${lines.join('\n')}\n`);
    const { seen } = read();
    expect(seen).toEqual(['[writer]', ...lines]);
    closeSync(writer);
  });

  it('reads what the old writer has left before it turns to a FIFO that was made anew', async () => {
    await makeFifo(path);
    const { seen } = read();
    const before = openWriter();
    await vi.waitFor(() => expect(seen).toContain('[writer]'));
    rmSync(path);
    execFileSync('mkfifo', [path]);
    const writer = openWriter();
    const lines = Array.from({ length: 8000 }, (_, index) => `${index}`);
    // Until the reader looks again nothing is read: this process doesn't get to it.
    writeSync(before, `${lines.join('\n')}\n`);
    writeSync(before, 'half');
    writeSync(writer, 'new\n');
    blockFor(150);
    await vi.waitFor(() => expect(seen).toContain('new'));
    expect(seen).toEqual([
      '[nobody]',
      '[writer]',
      ...lines,
      '[4 bytes without an end of line]',
      '[nobody]',
      '[writer]',
      'new',
    ]);
    closeSync(before);
    closeSync(writer);
  });

  it('stays with its writer when the path leads to one that nobody writes', async () => {
    await makeFifo(path);
    const { seen } = read();
    const writer = openWriter();
    await vi.waitFor(() => expect(seen).toContain('[writer]'));
    rmSync(path);
    execFileSync('mkfifo', [path]);
    blockFor(150);
    await setTimeout(50);
    writeSync(writer, 'still here\n');
    await vi.waitFor(() => expect(seen.at(-1)).toBe('still here'));
    expect(seen).toEqual(['[nobody]', '[writer]', 'still here']);
    closeSync(writer);
    await vi.waitFor(() => expect(seen.at(-1)).toBe('[nobody]'));
  });

  it('lets go of it, though somebody writes on', async () => {
    await makeFifo(path);
    const { seen, reader } = read();
    const writer = openWriter();
    writeSync(writer, 'before\n');
    await vi.waitFor(() => expect(seen).toContain('before'));
    reader.close();
    await vi.waitFor(() => expect(openDescriptors(path)).toBe(1));
    // What is written goes to whoever reads: to the next one alone.
    const next = read();
    for (let line = 0; line < 50; line++) {
      writeSync(writer, `${line}\n`);
      await vi.waitFor(() => expect(next.seen).toContain(`${line}`), { interval: 2 });
    }
    expect(seen).toEqual(['[nobody]', '[writer]', 'before']);
    closeSync(writer);
  });
});

/** Keeps this process, and so the reader, from doing anything else: longer than between two of its looks. */
const blockFor = (milliseconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
};

/** How many descriptors of this process lead to `target`. */
const openDescriptors = (target: string): number =>
  execFileSync('find', [`/proc/${process.pid}/fd`, '-lname', target], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean).length;
