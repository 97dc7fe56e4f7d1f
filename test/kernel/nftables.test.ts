import { Readable } from 'node:stream';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KernelError, NetlinkReplyError } from '../../src/kernel/error.ts';
import { Nftables, SetMissingError, type SetRef } from '../../src/kernel/nftables.ts';

const owned: SetRef = { family: 'netdev', table: 'ours', name: 'owned' };
const second: SetRef = { family: 'inet', table: 'ours', name: 'owned' };
const small: SetRef = { family: 'netdev', table: 'ours', name: 'small' };

const nft = (script: string) => execa('nft', ['-f', '-'], { input: script });

/** What nft lists, as numbers. */
const listed = async (set: SetRef): Promise<number[]> => {
  const { stdout } = await execa('nft', ['list', 'set', set.family, set.table, set.name]);
  const elements = /elements = \{([^}]*)\}/.exec(stdout)?.[1] ?? '';
  return elements
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '')
    .map(Number);
};

const ascending = (keys: readonly number[]): number[] => [...keys].sort((a, b) => a - b);

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

let nftables: Nftables;

beforeEach(async () => {
  await nft(`
    table netdev ours {
      set owned { type mark; }
      set small { type mark; size 4; elements = { 1, 2 } }
      set intervals { type mark; flags interval; elements = { 4-7 } }
      set wide { type ether_addr; elements = { 02:00:00:00:00:01 } }
    }
    table inet ours {
      set owned { type mark; }
    }`);
  nftables = new Nftables();
});

afterEach(async () => {
  nftables.close();
  await nft('delete table netdev ours; delete table inet ours');
});

describe('elements of a set', () => {
  it('are what nft lists, in the host byte order of marks', async () => {
    await nftables.change(owned, { add: [0, 1, 0x1234, 0xffff_ffff], remove: [] });

    expect(await listed(owned)).toEqual([0, 1, 0x1234, 0xffff_ffff]);
    expect(ascending(await nftables.elements(owned))).toEqual([0, 1, 0x1234, 0xffff_ffff]);
  });

  it('are read as nft wrote them', async () => {
    await nft('add element netdev ours owned { 3, 5, 0x80000000 }');

    expect(ascending(await nftables.elements(owned))).toEqual([3, 5, 0x8000_0000]);
  });

  it('of an empty set are none', async () => {
    expect(await nftables.elements(owned)).toEqual([]);
  });

  it('are all there, while another program changes others without rest', { timeout: 30_000 }, async () => {
    const others = range(0, 64).join(', ');
    const script = Array.from(
      { length: 400 },
      (_, index) => `${index % 2 === 0 ? 'add' : 'delete'} element netdev ours owned { ${others} }`,
    );
    await nftables.change(owned, { add: range(100, 900), remove: [] });
    const other = execa('nft', ['-i'], { input: `${script.join('\n')}\nquit\n`, reject: false });
    let running = true;
    void other.finally(() => {
      running = false;
    });
    const seen = new Map<number, number>();
    while (running) {
      const { length } = await nftables.elements(owned);
      seen.set(length, (seen.get(length) ?? 0) + 1);
    }
    expect((await other).exitCode).toBe(0);
    expect(ascending([...seen.keys()])).toEqual([900, 964]);
  });

  it('may be more than one message holds', async () => {
    await nftables.change(owned, { add: range(0, 5000), remove: [] });
    expect(ascending(await nftables.elements(owned))).toEqual(range(0, 5000));

    await nftables.change(owned, { add: range(9000, 10), remove: range(10, 4990) });
    expect(ascending(await nftables.elements(owned))).toEqual([...range(0, 10), ...range(9000, 10)]);
  });

  it('of intervals or longer keys are refused, not misread', async () => {
    await expect(nftables.elements({ ...owned, name: 'intervals' })).rejects.toThrow(NetlinkReplyError);
    await expect(nftables.elements({ ...owned, name: 'wide' })).rejects.toThrow(NetlinkReplyError);
  });
});

describe('a change', () => {
  it('of what is so already is no error', async () => {
    await nftables.change(owned, { add: [1, 2], remove: [3] });
    await nftables.change(owned, { add: [1, 2], remove: [3, 3] });
    await nftables.change(owned, { add: [], remove: [] });

    expect(ascending(await nftables.elements(owned))).toEqual([1, 2]);
  });

  it('that the kernel refuses changes nothing', async () => {
    const change = nftables.change(small, { add: [3, 4, 5, 6], remove: [1] });

    await expect(change).rejects.toMatchObject({ name: 'KernelError', code: 'ENFILE' });
    await expect(change).rejects.toThrow(/change elements of set netdev ours small: ENFILE/);
    expect(await listed(small)).toEqual([1, 2]);
  });

  it('is one transaction, of several sets too', async () => {
    await nftables.changeAll([
      { set: owned, add: [1, 2], remove: [] },
      { set: second, add: [1, 2], remove: [] },
    ]);
    const before = await nftables.generation();

    await nftables.changeAll([
      { set: owned, add: [7], remove: [1] },
      { set: second, add: [7], remove: [1] },
    ]);

    expect(await nftables.generation()).toBe(before + 1);
    expect(await listed(owned)).toEqual([2, 7]);
    expect(await listed(second)).toEqual([2, 7]);
  });

  it('of several sets changes none if one is refused', async () => {
    const change = nftables.changeAll([
      { set: owned, add: [1], remove: [] },
      { set: small, add: [3, 4, 5], remove: [] },
    ]);

    await expect(change).rejects.toThrow(KernelError);
    expect(await listed(owned)).toEqual([]);
  });

  it('overtaken by another of the same elements ends well', async () => {
    const other = new Nftables();
    for (let round = 0; round < 50; round += 1) {
      await nftables.change(owned, { add: range(0, 20), remove: [] });
      await Promise.all([
        nftables.change(owned, { add: [100], remove: range(0, 20) }),
        other.change(owned, { add: [101], remove: range(0, 20) }),
      ]);
      expect(ascending(await nftables.elements(owned))).toEqual([100, 101]);
    }
    other.close();
  });

  /** How many are made beside the other program's. */
  const CHANGES = 100;

  it('is retried while another program changes the same set without rest', { timeout: 30_000 }, async () => {
    let changes = 0;
    // One nft that lives on and executes a line after the other; marks 0 to 63 are everybody's, 100 and up are ours.
    function* script(): Generator<string> {
      for (let line = 0; changes < CHANGES; line += 1) {
        const verb = line % 2 === 0 ? 'add' : 'delete';
        yield `${verb} element netdev ours owned { ${range(0, 64).join(', ')} }\n`;
      }
      yield 'quit\n';
    }
    const other = execa('nft', ['-i'], { input: Readable.from(script()), reject: false });
    let running = true;
    void other.finally(() => {
      running = false;
    });
    const before = await nftables.generation();
    while (running) {
      await nftables.change(owned, { add: [100 + changes], remove: [...range(0, 64), 99 + changes] });
      changes += 1;
      expect((await nftables.elements(owned)).filter((key) => key >= 100)).toEqual([99 + changes]);
    }
    expect((await other).exitCode).toBe(0);
    expect((await nftables.generation()) - before).toBeGreaterThan(changes + CHANGES);
  });

  it('of a set or table that is not there says that the data plane is not loaded', async () => {
    const elsewhere: SetRef = { ...owned, table: 'nowhere' };

    await expect(nftables.elements(elsewhere)).rejects.toThrow(SetMissingError);
    await expect(nftables.change(elsewhere, { add: [1], remove: [] })).rejects.toThrow(SetMissingError);
    await expect(nftables.change({ ...owned, name: 'none' }, { add: [], remove: [1] })).rejects.toThrow(
      'there is no set netdev ours none: the data plane is not loaded; load it with "conntrack-ha start"',
    );
  });

  it('with a key that is no 32-bit number, or both ways, is refused before anything is sent', async () => {
    await expect(nftables.change(owned, { add: [-1], remove: [] })).rejects.toThrow(RangeError);
    await expect(nftables.change(owned, { add: [0x1_0000_0000], remove: [] })).rejects.toThrow(RangeError);
    await expect(nftables.change(owned, { add: [4], remove: [4] })).rejects.toThrow(/4 is both/);
  });
});

describe('the generation', () => {
  it('changes when another program changes the rules', async () => {
    const before = await nftables.generation();
    expect(await nftables.generation()).toBe(before);

    await nft('add element netdev ours owned { 1 }');

    expect(await nftables.generation()).not.toBe(before);
  });
});
