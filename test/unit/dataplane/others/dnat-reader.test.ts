import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DnatReader } from '../../../../src/dataplane/others/dnat-reader.ts';
import { Ruleset } from '../../../../src/kernel/ruleset.ts';
import { run } from '../../../../src/system/run.ts';

vi.mock('../../../../src/system/run.ts', async (original) => ({
  ...(await original<typeof import('../../../../src/system/run.ts')>()),
  run: vi.fn(),
}));
// No legacy tables, whatever this machine has.
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof import('node:fs/promises')>()),
  readFile: vi.fn(async () => ''),
}));

const chain = (table: string) => ({ family: 'inet', table, chain: 'pre', priority: -100 });
const listing = (table: string) =>
  JSON.stringify({
    nftables: [
      { table: { family: 'inet', name: table } },
      { chain: { name: 'pre', type: 'nat', hook: 'prerouting' } },
      { rule: { chain: 'pre', expr: [{ dnat: { addr: '192.168.0.80' } }] } },
    ],
  });

let generation: number;
let imprints: readonly string[];
let refused: ReadonlySet<string>;
let reader: DnatReader;
beforeEach(() => {
  [generation, imprints, refused] = [1, ['a', 'b'], new Set()];
  vi.spyOn(Ruleset.prototype, 'generation').mockImplementation(async () => generation);
  vi.spyOn(Ruleset.prototype, 'destinationNat').mockResolvedValue([chain('one'), chain('two')]);
  vi.spyOn(Ruleset.prototype, 'imprint').mockImplementation(async () => ({ generation, tables: imprints }));
  vi.mocked(run).mockReset();
  vi.mocked(run).mockImplementation(async (_, args) => {
    const table = args.at(-1) ?? '';
    if (refused.has(table)) throw new Error(`nft can't list ${table}`);
    return listing(table);
  });
  reader = new DnatReader();
});
afterEach(() => {
  reader.close();
  vi.restoreAllMocks();
});

const tables = async () => (await reader.read()).rules.map(({ where }) => where.split(',')[0]);
const listed = () => vi.mocked(run).mock.calls.map(([, args]) => args.at(-1));

describe('others’ translations', () => {
  it('are read of the tables that have changed, whose sets’ elements don’t count', async () => {
    expect(await tables()).toEqual(['table inet one', 'table inet two']);
    const before = await reader.read();
    generation = 2;
    expect(await reader.read()).toBe(before);
    expect(listed()).toEqual(['one', 'two']);
    [generation, imprints] = [3, ['a', 'c']];
    expect(await reader.read()).not.toBe(before);
    expect(listed()).toEqual(['one', 'two', 'two']);
    expect(vi.mocked(Ruleset.prototype.imprint).mock.lastCall).toEqual([expect.anything(), 'maps']);
  });

  it('are known of all tables but the one that can’t be listed, which is tried again', async () => {
    refused = new Set(['one']);
    expect(await tables()).toEqual(['table inet two']);
    const { unknown } = await reader.read();
    expect(unknown).toEqual([{ table: 'table inet one', why: "nft can't list one" }]);
    refused = new Set();
    expect(await tables()).toEqual(['table inet one', 'table inet two']);
    expect((await reader.read()).unknown).toEqual([]);
    expect(listed()).toEqual(['one', 'two', 'one', 'one']);
  });

  it('aren’t known wholly where chains lead to each other in too many ways', async () => {
    const jump = (from: string, target: string) => ({ rule: { chain: from, expr: [{ jump: { target } }] } });
    const ladder = Array.from({ length: 30 }, (_, index) => {
      const one = jump(index === 0 ? 'pre' : `c${index}`, `c${index + 1}`);
      return [one, one];
    });
    const objects = [{ chain: { name: 'pre', type: 'nat', hook: 'prerouting' } }, ...ladder.flat()];
    vi.mocked(run).mockImplementation(async (_, args) =>
      args.at(-1) === 'two' ? JSON.stringify({ nftables: objects }) : listing('one'),
    );
    expect(await tables()).toEqual(['table inet one']);
    expect((await reader.read()).unknown).toEqual([
      { table: 'table inet two', why: expect.stringMatching(/too many ways to follow/) },
    ]);
  });
});
