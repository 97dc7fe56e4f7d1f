import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  bootId,
  type LoadRecord,
  RecordError,
  readRecord,
  removeRecord,
  writeRecord,
} from '../../../src/dataplane/record.ts';
import { clusterConfig } from '../../kernel/dataplane/cluster-config.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'conntrack-ha-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const config = () => {
  const whole = clusterConfig({ snat: true });
  return { ...whole, paths: { ...whole.paths, run: join(directory, 'run') } };
};

const record: LoadRecord = {
  id: 'a',
  since: '2024-01-01T00:00:00.000Z',
  boot: bootId(),
  complete: true,
  rules: 'b',
  tables: { 'netdev conntrack_ha': 'c' },
  hooked: { eth1: { index: 4, mac: '02:00:00:00:01:01' } },
  hashing: '1 64',
  firewall: 'nftables',
  sysctls: { 'net.netfilter.nf_conntrack_tcp_loose': '1' },
  parts: [
    { kind: 'group', device: 'eth1', mac: '01:00:5e:00:01:01' },
    { kind: 'address', device: 'eth1', address: '192.168.0.5/32' },
    { kind: 'way', device: 'eth1', network: '192.168.0.0/24', source: '192.168.0.5' },
  ],
};

it('comes back as it was written, readable by root only', async () => {
  expect(await readRecord(config())).toBeUndefined();
  await writeRecord(config(), record);
  expect(await readRecord(config())).toEqual(record);
  expect(statSync(join(directory, 'run', 'dataplane.json')).mode & 0o777).toBe(0o600);
  await removeRecord(config());
  await removeRecord(config());
  expect(readdirSync(join(directory, 'run'))).toEqual([]);
});

it('counts for nothing after a reboot', async () => {
  await writeRecord(config(), { ...record, boot: 'earlier' });
  expect(await readRecord(config())).toBeUndefined();
});

it.each(['', '{', '{"id":"a"}', '[]'])('is refused with its path when it is %j', async (text) => {
  await writeRecord(config(), record);
  const path = join(directory, 'run', 'dataplane.json');
  writeFileSync(path, text);
  const failure = readRecord(config());
  await expect(failure).rejects.toThrow(RecordError);
  await expect(failure).rejects.toThrow(path);
});
