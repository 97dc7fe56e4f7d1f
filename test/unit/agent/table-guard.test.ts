import { beforeEach, describe, expect, it } from 'vitest';
import { TableGuard } from '../../../src/agent/table-guard.ts';
import type { Warning } from '../../../src/cluster/warning.ts';

let generation: number;
let damage: string | undefined;
let held: readonly number[];
let failure: Error | undefined;
let asked: number;
let rivals: readonly string[];
let leaving: boolean;
let advice: string | undefined;
const calls: string[] = [];

const named = (text: string): Warning => ({ code: 'other-translation', object: text, text });

const guard = (): TableGuard =>
  new TableGuard(
    {
      hookOf: () => 'right',
      generation: async () => generation,
      damage: async () => {
        asked += 1;
        return damage === undefined
          ? undefined
          : advice === undefined
            ? { what: damage }
            : { what: `${damage} by another program`, advice };
      },
      mend: async ({ buckets, timeout }) => {
        if (failure !== undefined) throw failure;
        calls.push(`load ${buckets} for ${timeout}`);
        damage = undefined;
        generation += 1;
      },
      rivals: async () => rivals.map(named),
    },
    {
      held: async () => held,
      lease: 30_000,
      leaving: () => leaving,
      chronicle: {
        begin: (name, _, reason) => calls.push(`begin ${name}: ${reason}`),
        done: (step) => calls.push(step),
      },
      reach: () => {},
      mended: () => calls.push('mended'),
      log: {
        info: (text: string) => calls.push(text),
        warn: (text: string) => calls.push(text),
        error: (text: string) => calls.push(text),
      },
    },
  );

beforeEach(() => {
  [generation, damage, held, failure, asked, rivals] = [7, undefined, [1, 3], undefined, 0, ['old']];
  [leaving, advice] = [false, 'do not (docs/coexistence.md)'];
  calls.length = 0;
});

describe('the guard of our tables', () => {
  it('looks at them only when rules have changed', async () => {
    const one = guard();
    expect(await one.moved()).toBe(true);
    await one.look();
    await one.look();
    expect([await one.moved(), asked]).toEqual([false, 1]);
    generation += 1;
    expect(await one.moved()).toBe(true);
    await one.look();
    expect([await one.moved(), asked, calls]).toEqual([false, 2, []]);
  });

  it('knows its own transaction, and another program’s that came in between', async () => {
    const one = guard();
    const step =
      (transactions: number, once = true) =>
      async () => {
        generation += transactions;
        return once;
      };
    await one.look();
    await one.expect(step(1));
    await one.look();
    expect([await one.moved(), asked]).toEqual([false, 1]);
    await one.expect(step(2));
    expect(await one.moved()).toBe(true);
    await one.look();
    generation += 1;
    await one.expect(step(1));
    expect(await one.moved()).toBe(true);
    await one.look();
    expect([await one.moved(), asked]).toEqual([false, 3]);
    // It made none, so this is another's.
    await one.expect(step(1, false));
    expect(await one.moved()).toBe(true);
  });

  it('loads them again with what was owned, says so once, and remembers it', async () => {
    const one = guard();
    for (const _ of [1, 2]) {
      damage = 'tables were removed';
      generation += 1;
      await one.look();
    }
    expect(calls.filter((call) => !call.includes('ms this node'))).toEqual([
      ...['begin mend: tables were removed by another program', 'load 1,3 for 30000', 'mend.load', 'mended'],
      ...['begin mend: tables were removed by another program', 'load 1,3 for 30000', 'mend.load', 'mended'],
    ]);
    expect(calls.filter((call) => call.includes('loaded again with 2 buckets: for up to'))).toHaveLength(1);
    expect(one.warnings.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^at 20.*, 2 times by now: tables were removed/),
    ]);
    await one.look();
    expect(await one.moved()).toBe(false);
  });

  it('lets a peer take over before it loads rules for an interface that has come again', async () => {
    const one = guard();
    [damage, advice, leaving] = ['eth1 was made again', undefined, true];
    await one.look();
    await one.look();
    expect(calls).toEqual([]);
    leaving = false;
    await one.look();
    expect(calls).toEqual([
      ...['begin mend: eth1 was made again', 'load 1,3 for 30000', 'mend.load'],
      ...['eth1 was made again: rules loaded again, with 2 buckets', 'mended'],
    ]);
    // Nothing to remember: it is nobody's fault.
    expect(one.warnings).toEqual([]);
  });

  it('waits for no peer when it was another program', async () => {
    const one = guard();
    [damage, leaving] = ['tables were removed', true];
    await one.look();
    expect(calls).toContain('mended');
  });

  it('tries again until it works, and complains once', async () => {
    const one = guard();
    damage = 'tables were removed';
    failure = new Error('nft is missing');
    await one.look();
    await one.look();
    expect(calls.filter((call) => call.includes('nft is missing'))).toHaveLength(1);
    expect(one.warnings).toEqual([
      {
        code: 'rules-not-guarded',
        object: 'tables',
        text: "this node's tables can't be guarded: nft is missing",
      },
    ]);
    failure = undefined;
    await one.look();
    expect(calls).toContain('load 1,3 for 30000');
    expect(one.warnings).toEqual([
      { code: 'rules-reloaded', object: 'tables', text: expect.stringContaining('loaded again') },
    ]);
  });

  it('names who translates before ours, and logs who has come since', async () => {
    const one = guard();
    await one.look();
    expect([one.warnings, calls]).toEqual([[named('old')], []]);
    rivals = ['old', 'new'];
    generation += 1;
    await one.look();
    expect([one.warnings, calls]).toEqual([[named('old'), named('new')], ['new [other-translation]']]);
  });
});
