import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { EventsFile } from '../../../src/agent/events-file.ts';

const directories: string[] = [];
const directory = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'conntrack-ha-events-'));
  directories.push(made);
  return made;
};

afterEach(() => {
  for (const made of directories.splice(0)) {
    rmSync(made, { recursive: true });
  }
});

it('holds nothing at first', () => {
  expect(new EventsFile(directory()).read()).toBe('');
});

it('keeps the newest lines, whole, in at most two files of its limit', () => {
  const run = directory();
  const file = new EventsFile(run, 100);
  const lines = Array.from({ length: 60 }, (_, index) => `line ${String(index).padStart(3, '0')}\n`);
  for (const line of lines) {
    file.append(line);
  }
  const kept = new EventsFile(run).read();
  expect(lines.join('').endsWith(kept)).toBe(true);
  expect(kept).toMatch(/^line \d{3}\n/);
  expect(kept.length).toBeGreaterThan(100);
  expect(kept.length).toBeLessThanOrEqual(200);
  expect(statSync(`${run}/events`).size).toBeLessThanOrEqual(100);
  expect(statSync(`${run}/events`).mode & 0o777).toBe(0o600);
});

it('says what the file system says', () => {
  const run = directory();
  const file = new EventsFile(join(run, 'nowhere'));
  expect(() => file.append('line\n')).toThrow(/ENOENT/);
});
