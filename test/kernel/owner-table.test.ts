import { execa } from 'execa';
import { afterEach, describe, expect, it } from 'vitest';
import { OwnerTableHandle } from '../../src/kernel/owner-table.ts';
import type { OwnerTable } from '../../src/kernel/owner-table-message.ts';
import { until } from '../lab/rig/wait.ts';

/** As long as a name can be. */
const LONGEST = 'abcdefghijklmno';
const TABLE = { family: 'inet', table: 'agent' } as const;
const OURS: OwnerTable = {
  when: { ...TABLE, name: 'watched' },
  unless: { ...TABLE, name: 'awake' },
  to: ['eth2', LONGEST],
  chain: 'translate',
  priority: 98,
};
/** The loopback interface's index. */
const LO = 1;
const STAY = { from: [LO], when: 60_000, unless: 60_000 };

const listed = async (): Promise<string> =>
  (await execa('nft', ['list', 'ruleset'])).stdout
    .replaceAll(/ expires \w+/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();

const open: OwnerTableHandle[] = [];
const handle = (): OwnerTableHandle => {
  const made = new OwnerTableHandle(OURS);
  open.push(made);
  return made;
};
const gone = () => until('the end of the table', listed, 5000, (rules) => rules === '');

afterEach(async () => {
  for (const each of open.splice(0)) {
    each.close();
  }
  await gone();
});

describe('a table with an owner', () => {
  it('is what nft lists so', async () => {
    await handle().stay(STAY);
    const set = 'type iface_index flags timeout elements = { "lo" timeout 1m }';
    const drop = 'iif @watched iif != @awake counter packets 0 bytes 0 drop';
    expect(await listed()).toBe(
      `table inet agent { # progname node flags owner set watched { ${set} } set awake { ${set} } chain translate { type nat hook postrouting priority srcnat - 2; policy accept; oifname "eth2" ${drop} oifname "${LONGEST}" ${drop} } }`,
    );
  });

  it('keeps what stays, and forgets it in time', async () => {
    const table = handle();
    await table.stay({ ...STAY, unless: 100 });
    await until('the end of one', listed, 5000, (rules) => rules.split('"lo" timeout').length === 2);
    await table.stay(STAY);
    expect((await listed()).split('"lo" timeout')).toHaveLength(3);
  });

  it('stays when another flushes all rules, and lets nobody else change it', async () => {
    await handle().stay(STAY);
    await execa('nft', ['flush', 'ruleset']);
    expect(await listed()).toContain('table inet agent');
    await expect(execa('nft', ['delete', 'table', 'inet', 'agent'])).rejects.toThrow(
      'Operation not permitted',
    );
    await expect(handle().stay(STAY)).rejects.toThrow('EPERM');
  });

  it('goes with its owner, and is made anew where it is missing', async () => {
    const table = handle();
    await table.stay(STAY);
    table.close();
    await gone();
    await handle().stay(STAY);
    expect(await listed()).toContain('table inet agent');
  });
});
