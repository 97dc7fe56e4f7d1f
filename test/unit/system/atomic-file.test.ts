import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeAtomically } from '../../../src/system/atomic-file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'conntrack-ha-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('replaces the file, with the mode, and leaves nothing beside it', () => {
  const path = join(directory, 'file');
  writeAtomically(path, 'old');
  const before = statSync(path);
  writeAtomically(path, 'new', 0o600);
  const after = statSync(path);
  expect(readFileSync(path, 'utf8')).toBe('new');
  expect(after.mode & 0o777).toBe(0o600);
  expect(after.ino).not.toBe(before.ino);
  expect(readdirSync(directory)).toEqual(['file']);
});

it('leaves nothing behind when it fails', () => {
  const path = join(directory, 'taken');
  mkdirSync(join(path, 'below'), { recursive: true });
  expect(() => writeAtomically(path, 'new')).toThrow();
  expect(readdirSync(directory)).toEqual(['taken']);
});
