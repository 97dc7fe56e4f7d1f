import { describe, expect, it } from 'vitest';
import { HashTable } from '../../../src/cluster/hash-table.ts';

const BIGGEST = 2 ** 53 - 1;
const MANY = Array.from({ length: 100_000 }, (_, index) => (index * 0x1_0000_0001 * 7919) % BIGGEST);

describe('HashTable', () => {
  it('keeps, replaces and forgets values', () => {
    const table = new HashTable();
    for (const hash of [0, 1, 2 ** 32, BIGGEST]) {
      expect(table.get(hash)).toBeUndefined();
      table.set(hash, 5);
      table.set(hash, 0);
      expect(table.get(hash)).toBe(0);
    }
    expect(table.size).toBe(4);
    expect(table.delete(2 ** 32)).toBe(true);
    expect(table.delete(2 ** 32)).toBe(false);
    expect(table.has(2 ** 32)).toBe(false);
    expect(table.has(1)).toBe(true);
    expect([...table.keys()].toSorted()).toEqual([0, 1, BIGGEST].toSorted());
    table.set(2 ** 32, 3);
    expect(table.get(2 ** 32)).toBe(3);
    expect(table.size).toBe(4);
  });

  it('does with many what a Map does', () => {
    const table = new HashTable();
    const map = new Map<number, number>();
    for (const [index, hash] of MANY.entries()) {
      table.set(hash, index);
      map.set(hash, index);
      const old = MANY[Math.floor(index / 2)] ?? 0;
      if (index % 3 === 0) {
        expect(table.delete(old)).toBe(map.delete(old));
      }
    }
    expect(table.size).toBe(map.size);
    expect(new Set(table.keys())).toEqual(new Set(map.keys()));
    expect(MANY.every((hash) => table.get(hash) === map.get(hash))).toBe(true);
    expect(table.count((value) => value < 50_000)).toBe(
      [...map.values()].filter((value) => value < 50_000).length,
    );
  });

  it('holds those that it is made of', () => {
    expect([...HashTable.of([3, 3, 7]).keys()].toSorted()).toEqual([3, 7]);
  });
});
