import { describe, expect, it } from 'vitest';
import { judgeRoom, type Room, roomFor, type TableUse } from '../../../src/cluster/room.ts';

const MAX = 1000;
const NOTHING: Room = { fills: undefined, lacks: undefined };

const judge = (
  fw1: TableUse,
  fw2: TableUse,
  {
    before = new Map(),
    replicas = 'kernel',
  }: { before?: ReadonlyMap<string, Room>; replicas?: 'kernel' | 'cache' } = {},
) => {
  const rooms = judgeRoom(
    new Map([
      ['fw1', fw1],
      ['fw2', fw2],
    ]),
    before,
    replicas,
  );
  return [rooms.get('fw1'), rooms.get('fw2')];
};

const table = (used: number, own?: number, max = MAX): TableUse => ({ used, max, own });

describe('the room of connection tables', () => {
  it('is enough where there is room', () => {
    expect(judge(table(799, 400), table(799, 399))).toEqual([NOTHING, NOTHING]);
  });

  it('is told of before a table is full, and lacks a little later', () => {
    const share = (entries: number) => ({ entries, max: MAX });
    expect(judge(table(800), table(10))).toEqual([{ fills: share(800), lacks: undefined }, NOTHING]);
    expect(judge(table(899), table(10))[0]?.lacks).toBeUndefined();
    expect(judge(table(900), table(10))[0]).toEqual({ fills: share(900), lacks: share(900) });
  });

  it('is what all nodes own, also where the copies have yet to come', () => {
    expect(judge(table(2000, 2000, 4000), table(100, 50, 1000))).toEqual([
      NOTHING,
      { fills: undefined, lacks: { entries: 2050, max: 1000 } },
    ]);
  });

  it('is not what another node holds besides', () => {
    expect(judge(table(1000, 0), table(300, 300))[1]).toEqual(NOTHING);
  });

  it('is for a takeover, too, where copies wait elsewhere', () => {
    const both = [table(500, 430), table(500, 430)] as const;
    expect(judge(...both)).toEqual([NOTHING, NOTHING]);
    expect(judge(...both, { replicas: 'cache' })[0]).toEqual({
      fills: undefined,
      lacks: { entries: 930, max: MAX },
    });
  });

  it('comes back only when there is clearly more', () => {
    const before = new Map(
      ['fw1', 'fw2'].map((node) => [node, judge(table(1000), table(1000))[0] ?? NOTHING]),
    );
    const fills = (used: number) => judge(table(used), table(0), { before })[0]?.fills !== undefined;
    const lacks = (used: number) => judge(table(used), table(0), { before })[0]?.lacks !== undefined;
    expect([fills(750), fills(749), lacks(850), lacks(849)]).toEqual([true, false, true, false]);
  });

  it('is without bounds where the kernel has none', () => {
    expect(judge(table(5000, 5000, 0), table(10, 10))[0]).toEqual(NOTHING);
  });

  it('would be enough with twice as much', () => {
    expect([100, 1000, 1024, 1025].map((entries) => roomFor({ entries, max: 1 }))).toEqual([
      256, 2048, 2048, 4096,
    ]);
  });
});
