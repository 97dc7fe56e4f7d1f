import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Nftables, type SetRef } from '../../src/kernel/nftables.ts';
import { until } from '../lab/rig/wait.ts';

const owned: SetRef = { family: 'netdev', table: 'lease', name: 'owned' };
const small: SetRef = { family: 'netdev', table: 'lease', name: 'small' };
const plain: SetRef = { family: 'netdev', table: 'lease', name: 'plain' };

const nft = (script: string) => execa('nft', ['-f', '-'], { input: script });

const ascending = (keys: readonly number[]): number[] => [...keys].sort((a, b) => a - b);

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

/** What nft lists: the milliseconds that are left to each key; Infinity: it stays for ever. */
const left = async (set: SetRef = owned): Promise<Record<number, number>> => {
  const { stdout } = await execa('nft', ['list', 'set', set.family, set.table, set.name]);
  const elements = /elements = \{([^}]*)\}/.exec(stdout)?.[1]?.split(',') ?? [];
  return Object.fromEntries(
    elements.map((element) => {
      const [, key, timeout, expires = '0ms'] =
        /^\s*(\w+)(?: timeout (\w+))?(?: expires (\w+))?\s*$/.exec(element) ?? [];
      return [Number(key), timeout === undefined ? Number.POSITIVE_INFINITY : milliseconds(expires)];
    }),
  );
};

const UNITS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** `1m2s3ms`, as nft writes a time. */
const milliseconds = (text: string): number =>
  [...text.matchAll(/(\d+)(ms|[dhms])/g)].reduce(
    (sum, [, n, unit]) => sum + Number(n) * (UNITS[unit ?? ''] ?? NaN),
    0,
  );

const gone = (keys: readonly number[]) =>
  until(
    `the end of ${keys.join(', ')}`,
    () => nftables.elements(owned),
    5000,
    (elements) => !keys.some((key) => elements.includes(key)),
  );

let nftables: Nftables;

beforeEach(async () => {
  await nft(`
    table netdev lease {
      set owned { type mark; size 4096; flags timeout; }
      set small { type mark; size 4; flags timeout; }
      set plain { type mark; }
    }`);
  nftables = new Nftables();
});

afterEach(async () => {
  nftables.close();
  await nft('delete table netdev lease');
});

describe('an element with a timeout', () => {
  it('is there until it ends, and not a moment later', async () => {
    const begin = performance.now();
    await nftables.change(owned, { add: [1, 2], remove: [], timeout: 300 });
    await nftables.change(owned, { add: [3], remove: [] });
    expect(ascending(await nftables.elements(owned))).toEqual([1, 2, 3]);
    const { 1: first = 0, 3: third } = await left();
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThanOrEqual(300);
    expect(third).toBe(Number.POSITIVE_INFINITY);

    await gone([1, 2]);

    const lasted = performance.now() - begin;
    expect(lasted).toBeGreaterThan(300 - 20);
    expect(lasted).toBeLessThan(300 + 200);
    expect(await left()).toEqual({ 3: Number.POSITIVE_INFINITY });
  });

  it('that has ended may be removed, and added again', async () => {
    await nftables.change(owned, { add: [1, 2], remove: [], timeout: 50 });
    await gone([1, 2]);
    // The kernel hasn't collected them: nft, which doesn't read before, is told that there is nothing to delete.
    await expect(nft('delete element netdev lease owned { 1 }')).rejects.toThrow('No such file or directory');

    await nftables.change(owned, { add: [2], remove: [1], timeout: 5000 });

    expect(await nftables.elements(owned)).toEqual([2]);
  });

  it('that ends while it is being removed is removed', { timeout: 20_000 }, async () => {
    for (let round = 0; round < 30; round += 1) {
      await nftables.change(owned, { add: range(0, 40), remove: [], timeout: 12 });
      const rest = range(0, 40);
      for (const key of rest) {
        await nftables.change(owned, { add: [100 + key], remove: [key] });
      }
      expect(ascending(await nftables.elements(owned))).toEqual(range(100, 40));
      await nftables.change(owned, { add: [], remove: range(100, 40) });
    }
  });

  it('begins anew when it is added again, with the same timeout, a longer one, a shorter one, none', async () => {
    await nftables.change(owned, { add: [1, 2, 3, 4, 5], remove: [], timeout: 2000 });
    await nftables.change(owned, { add: [6], remove: [] });
    await until('half the time', left, 5000, ({ 1: time = 0 }) => time < 1000);

    await nftables.change(owned, { add: [1, 1], remove: [], timeout: 2000 });
    await nftables.change(owned, { add: [2, 6, 7], remove: [5], timeout: 60_000 });
    await nftables.change(owned, { add: [3], remove: [] });

    const {
      1: same = 0,
      2: longer = 0,
      3: never,
      4: alone,
      6: was = 0,
      7: added = 0,
      ...others
    } = await left();
    expect(same).toBeGreaterThan(1500);
    expect(longer).toBeGreaterThan(50_000);
    expect(never).toBe(Number.POSITIVE_INFINITY);
    expect(alone).toBeLessThan(1000);
    expect(was).toBeLessThanOrEqual(60_000);
    expect(added).toBeGreaterThan(50_000);
    expect(others).toEqual({});

    await nftables.change(owned, { add: [2], remove: [], timeout: 50 });
    await gone([2]);
  });

  it('needs a set for it, and a time that is one', async () => {
    const change = { add: [1], remove: [] };
    await expect(nftables.change(plain, { ...change, timeout: 1000 })).rejects.toMatchObject({
      code: 'EINVAL',
    });
    for (const timeout of [-1, 9, 10.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(nftables.change(owned, { ...change, timeout })).rejects.toThrow(RangeError);
      await expect(nftables.renew(owned, [1], timeout)).rejects.toThrow(`at least 10 ms`);
    }
    // The shortest: no tick of the kernel makes it for ever, or nothing.
    await nftables.change(owned, { ...change, timeout: 10 });
    await gone([1]);
    await nftables.change(plain, change);
    expect(await nftables.elements(plain)).toEqual([1]);
  });
});

describe('a renewal', () => {
  it('starts timeouts anew, in one transaction, and brings nothing back', async () => {
    await nftables.change(owned, { add: [1, 2, 3], remove: [], timeout: 1000 });
    await nftables.change(owned, { add: [4], remove: [], timeout: 50 });
    await nftables.change(owned, { add: [], remove: [3] });
    await gone([4]);
    const before = await nftables.generation();

    expect(ascending(await nftables.renew(owned, [4, 3, 2, 1, 1, 9], 60_000))).toEqual([1, 2]);

    expect(await nftables.generation()).toBe(before + 1);
    const { 1: first = 0, 2: second = 0, ...others } = await left();
    expect(Math.min(first, second)).toBeGreaterThan(50_000);
    expect(others).toEqual({});
    expect(await nftables.renew(owned, [3, 4], 60_000)).toEqual([]);
    expect(await nftables.renew(owned, [], 60_000)).toEqual([]);
    expect(await nftables.generation()).toBe(before + 1);
  });

  it('turns for ever into a time, and back', async () => {
    await nftables.change(owned, { add: [1, 2], remove: [] });
    await nftables.change(owned, { add: [3, 4], remove: [], timeout: 60_000 });

    expect(ascending(await nftables.renew(owned, [1, 3, 4], 100))).toEqual([1, 3, 4]);
    expect(await nftables.renew(owned, [4])).toEqual([4]);

    await gone([1, 3]);
    const ever = Number.POSITIVE_INFINITY;
    expect(await left()).toEqual({ 2: ever, 4: ever });
    expect(await nftables.renew(owned, [2, 4], 0)).toEqual([2, 4]);
    expect(await left()).toEqual({ 2: ever, 4: ever });
  });

  it.each([
    ['ascending', (keys: readonly number[]) => keys],
    ['descending', (keys: readonly number[]) => keys.toReversed()],
  ])('of 1024, timed and not mixed, %s', async (_, order) => {
    const keys = range(0, 1024);
    await nftables.change(owned, { add: keys.filter((key) => key % 3 === 0), remove: [] });
    await nftables.change(owned, { add: keys.filter((key) => key % 3 !== 0), remove: [], timeout: 5000 });

    expect(ascending(await nftables.renew(owned, order(keys), 60_000))).toEqual(keys);

    const times = await left();
    expect(Object.keys(times)).toHaveLength(1024);
    expect(Math.min(...Object.values(times))).toBeGreaterThan(50_000);
    expect(Math.max(...Object.values(times))).toBeLessThanOrEqual(60_000);
  });

  it('of a full set needs no more room', async () => {
    await nftables.change(small, { add: [1, 2, 3, 4], remove: [], timeout: 60_000 });
    expect(ascending(await nftables.renew(small, [1, 2, 3, 4], 60_000))).toEqual([1, 2, 3, 4]);
  });

  it('that ends while it comes says so, and what it renewed stays', { timeout: 20_000 }, async () => {
    let renewed = 0;
    let ended = 0;
    for (let round = 0; round < 80; round += 1) {
      const keys = range(0, 64);
      // The time of one in four ends in a moment; how soon changes from round to round.
      await nftables.change(owned, { add: keys, remove: [], timeout: 60_000 });
      await nftables.renew(
        owned,
        keys.filter((key) => key % 4 === 0),
        10 + (round % 20),
      );
      const end = performance.now() + (round % 25);
      while (performance.now() < end);

      const told = await nftables.renew(owned, keys, 60_000);

      expect(ascending(await nftables.elements(owned))).toEqual(ascending(told));
      expect(told.filter((key) => key % 4 !== 0)).toHaveLength(48);
      renewed += told.length === 64 ? 1 : 0;
      ended += told.length === 48 ? 1 : 0;
    }
    expect(renewed).toBeGreaterThan(0);
    expect(ended).toBeGreaterThan(0);
  });

  it('comes through while another program changes the same set without rest', {
    timeout: 30_000,
  }, async () => {
    const script = Array.from({ length: 400 }, (_, index) => {
      const verb = index % 2 === 0 ? 'add' : 'delete';
      return `${verb} element netdev lease owned { ${range(0, 64).join(', ')} }`;
    });
    const keys = range(100, 64);
    await nftables.change(owned, { add: keys, remove: [], timeout: 60_000 });
    const other = execa('nft', ['-i'], { input: `${script.join('\n')}\nquit\n`, reject: false });
    let running = true;
    void other.finally(() => {
      running = false;
    });
    const told: (readonly number[])[] = [];
    while (running) {
      told.push(await nftables.renew(owned, [...range(0, 64), ...keys], 60_000));
    }
    expect((await other).exitCode).toBe(0);
    expect(told.length).toBeGreaterThan(100);
    expect(new Set(told.map((renewed) => renewed.filter((key) => key >= 100).length))).toEqual(new Set([64]));
    expect(new Set(told.map(({ length }) => length))).toEqual(new Set([64, 128]));
  });

  it('meets a removal of the same elements: either they are gone, or it says that they are renewed', async () => {
    const other = new Nftables();
    for (let round = 0; round < 50; round += 1) {
      await nftables.change(owned, { add: range(0, 20), remove: [], timeout: 60_000 });
      const [told] = await Promise.all([
        nftables.renew(owned, range(0, 20), 60_000),
        other.change(owned, { add: [], remove: range(0, 20) }),
      ]);
      expect([0, 20]).toContain(told.length);
      expect(await nftables.elements(owned)).toEqual([]);
    }
    other.close();
  });
});
