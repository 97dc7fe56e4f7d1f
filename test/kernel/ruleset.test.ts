import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ruleset } from '../../src/kernel/ruleset.ts';
import type { TableRef } from '../../src/kernel/table-message.ts';

const TABLES: readonly TableRef[] = [
  { family: 'netdev', table: 'ours' },
  { family: 'ip', table: 'ours' },
];

const nft = (script: string) => execa('nft', ['-f', '-'], { input: script });

const RULES = `
  table netdev ours {
    set owned { type mark; flags timeout; }
    set shared { type ipv4_addr; elements = { 192.0.2.1, 192.0.2.2 } }
    map of_port { type inet_service : mark; flags interval; elements = { 1-9 : 1, 10-19 : 2 } }
    chain in { type filter hook ingress device lo priority 0; counter meta mark @owned accept; jump other; }
    chain other { ip daddr { 192.0.2.3, 192.0.2.4 } counter; }
  }
  table ip ours {
    chain out { type nat hook postrouting priority srcnat; snat to 192.0.2.9; }
  }
  table ip theirs {
    set some { type ipv4_addr; }
    chain in { type filter hook input priority 0; }
  }`;

let ruleset: Ruleset;

beforeEach(async () => {
  await nft(RULES);
  ruleset = new Ruleset();
});

afterEach(async () => {
  ruleset.close();
  await nft('flush ruleset');
});

const tables = async () => (await ruleset.imprint(TABLES)).tables;

describe('the imprint of tables', () => {
  it('stays the same while packets are counted, elements with timeouts come, and others change theirs', async () => {
    const before = await ruleset.imprint(TABLES);
    await execa('ip', ['link', 'set', 'lo', 'up']);
    // Counted, and not answered: it is translated.
    await execa('ping', ['-c', '1', '-W', '0.1', '127.0.0.1'], { reject: false });
    await nft('add element netdev ours owned { 3 timeout 9s }; add element ip theirs some { 192.0.2.1 }');
    await nft('add rule ip theirs in accept; add table inet ours');
    const after = await ruleset.imprint(TABLES);

    expect(after.tables).toEqual(before.tables);
    expect(after.generation).toBeGreaterThan(before.generation);
    expect(await ruleset.generation()).toBe(after.generation);
  });

  it.each([
    ['flush chain netdev ours other', 0],
    ['delete element netdev ours shared { 192.0.2.1 }', 0],
    ['delete element netdev ours of_port { 10-19 }; add element netdev ours of_port { 10-19 : 3 }', 0],
    ['add chain netdev ours in { policy drop; }', 0],
    ['add chain netdev ours third', 0],
    ['insert rule netdev ours in accept', 0],
    ['flush chain ip ours out; add rule ip ours out snat to 192.0.2.9', 1],
    ['add table ip ours { flags dormant; }', 1],
    ['add set ip ours some { type mark; }', 1],
    ['delete table ip ours; add table ip ours', 1],
  ])('is another one after: %s', async (change, which) => {
    const before = await tables();
    await nft(change);
    const after = await tables();

    expect(after[which]).not.toBe(before[which]);
    expect(after[1 - which]).toBe(before[1 - which]);
  });

  it('is none of a table that is gone', async () => {
    await nft('delete table ip ours');
    expect(await tables()).toEqual([expect.any(String), undefined]);
    await nft('flush ruleset');
    expect(await tables()).toEqual([undefined, undefined]);
  });
});
