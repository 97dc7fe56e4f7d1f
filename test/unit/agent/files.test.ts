import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentFiles } from '../../../src/agent/files.ts';
import type { Wanted } from '../../../src/cluster/snapshot.ts';

let directory: string;
let files: AgentFiles;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'conntrack-ha-files-'));
  files = new AgentFiles(directory);
  files.prepare();
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const path = (name: string): string => join(directory, name);

const wanted: Wanted = { role: 'owner', by: 'keepalived', word: 'MASTER', since: 5, force: true };

const ORDER = { ticks: 1234, pid: 56 };

describe('the word of the manager', () => {
  it('is found again by the next agent, as of now and without force', () => {
    files.keepWanted('fw1_fw2', wanted, ORDER);
    expect(new AgentFiles(directory).readWanted('fw1_fw2', 77)).toEqual({
      ...wanted,
      since: 77,
      force: false,
      order: ORDER,
    });
  });

  it('is forgotten when it has been overtaken, and kept when it comes again', () => {
    files.keepWanted('fw1_fw2', wanted, ORDER);
    files.forgetWanted('fw1_fw2');
    files.forgetWanted('fw1_fw2');
    expect(files.readWanted('fw1_fw2', 0)).toBeUndefined();
    files.keepWanted('fw1_fw2', wanted, ORDER);
    expect(files.readWanted('fw1_fw2', 0)).toMatchObject({ word: 'MASTER' });
  });

  it.each(['', '\n', 'owner', 'owner keepalived', 'owner start start', 'king operator takeover', '\0\u{ff}'])(
    'is none in a file that says %j',
    (text) => {
      writeFileSync(path('wanted/fw1_fw2'), text);
      expect(files.readWanted('fw1_fw2', 0)).toBeUndefined();
    },
  );

  it('is none in what is no file', () => {
    mkdirSync(path('wanted/fw1_fw2'));
    expect(files.readWanted('fw1_fw2', 0)).toBeUndefined();
  });
});

describe('a group’s answer', () => {
  it('is one object, written when it changes', () => {
    files.writeGroup('fw1_fw2', 'owner', 'keepalived says MASTER', 'then');
    const before = statSync(path('groups/fw1_fw2')).ino;
    files.writeGroup('fw1_fw2', 'owner', 'keepalived says MASTER', 'then');
    expect(statSync(path('groups/fw1_fw2')).ino).toBe(before);
    expect(JSON.parse(readFileSync(path('groups/fw1_fw2'), 'utf8'))).toEqual({
      group: 'fw1_fw2',
      role: 'owner',
      reason: 'keepalived says MASTER',
      time: 'then',
    });
    files.writeGroup('fw1_fw2', 'replica', 'fw2 asks for it', 'now');
    expect(JSON.parse(readFileSync(path('groups/fw1_fw2'), 'utf8'))).toMatchObject({ role: 'replica' });
    expect(readdirSync(path('groups'))).toEqual(['fw1_fw2']);
  });
});

describe('what keepalived tracks', () => {
  it('is written again after keepalived has overwritten it', () => {
    expect(files.writeReady('fw1_fw2', 0)).toBe(true);
    expect(files.writeReady('fw1_fw2', 0)).toBe(false);
    writeFileSync(path('ready/fw1_fw2'), '-100\n');
    expect(files.writeReady('fw1_fw2', 0)).toBe(true);
    expect(readFileSync(path('ready/fw1_fw2'), 'utf8')).toBe('0\n');
  });
});
