import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ahead } from '../../../src/system/ahead.ts';

describe('ahead', () => {
  it('does not hold the source back, and loses nothing', async () => {
    const given: number[] = [];
    async function* source(): AsyncGenerator<number, void, undefined> {
      for (let number = 0; number < 100; number += 1) {
        given.push(number);
        yield number;
        await nextTurn();
      }
    }
    const taken: number[] = [];
    for await (const number of ahead(source())) {
      if (number === 0) {
        while (given.length < 100) {
          await nextTurn();
        }
      }
      taken.push(number);
    }
    expect(taken).toEqual(given);
  });

  it('passes on what the source fails with, after what it gave', async () => {
    async function* source(): AsyncGenerator<number, void, undefined> {
      yield 1;
      throw new Error('cut');
    }
    const taken: number[] = [];
    const read = async () => {
      for await (const number of ahead(source())) {
        taken.push(number);
      }
    };
    await expect(read()).rejects.toThrow('cut');
    expect(taken).toEqual([1]);
  });

  it('ends the source when its reader leaves', async () => {
    let ended = false;
    async function* source(): AsyncGenerator<number, void, undefined> {
      try {
        for (;;) {
          yield 1;
          await nextTurn();
        }
      } finally {
        ended = true;
      }
    }
    for await (const _ of ahead(source())) {
      break;
    }
    while (!ended) {
      await nextTurn();
    }
    expect(ended).toBe(true);
  });
});
