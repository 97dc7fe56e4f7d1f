import { describe, expect, it, vi } from 'vitest';
import { type RoomHost, RoomWatch } from '../../../src/agent/room-watch.ts';
import type { Snapshot } from '../../../src/cluster/snapshot.ts';
import { clusterConfig } from '../../support/cluster-config.ts';

const MAX = 1000;

/** fw1's watch, looking once a second. */
const watching = () => {
  const config = clusterConfig();
  const [fw1] = config.nodes;
  if (fw1 === undefined) throw new RangeError('a cluster without nodes');
  const machine: { used: number | undefined; drops: number | undefined } = { used: 0, drops: 0 };
  const log = { info: vi.fn<(text: string) => void>(), warn: vi.fn<(text: string) => void>() };
  const changed = vi.fn<(tables: Snapshot['tables']) => void>();
  const host: RoomHost = {
    size: () => (machine.used === undefined ? undefined : { used: machine.used, max: MAX }),
    drops: async () => machine.drops,
    changed,
    // The logger's own has more forms.
    log: { info: (text: string) => log.info(text), warn: (text: string) => log.warn(text) },
  };
  const watch = new RoomWatch(config, fw1, host);
  const looks = async (times: number, used?: number): Promise<void> => {
    if (used !== undefined) machine.used = used;
    for (let time = 0; time < times; time += 1) await watch.look(performance.now());
  };
  return { watch, machine, log, changed, looks };
};

const codes = (watch: RoomWatch) => watch.warnings.map(({ code, object }) => `${code} ${object}`);

describe('RoomWatch', () => {
  it('says nothing while there is room, nor of what the next look finds gone', async () => {
    const { watch, log, changed, looks } = watching();
    await looks(3, 700);
    await looks(1, 990);
    await looks(3, 700);
    expect(watch.warnings).toEqual([]);
    expect(log.warn).not.toHaveBeenCalled();
    expect(changed).not.toHaveBeenCalled();
  });

  it('says once that the table fills, and once that it has room again', async () => {
    const { watch, log, changed, looks } = watching();
    await looks(4, 850);
    expect(watch.warnings).toEqual([
      {
        code: 'table-fills',
        object: 'net.netfilter.nf_conntrack_max',
        text: `850 of the 1000 entries that this node's connection table may have are in use: when it is full, new connections are dropped here, and peers' states refused; allow more here with "sysctl -w net.netfilter.nf_conntrack_max=2048"`,
      },
    ]);
    expect(log.warn).toHaveBeenCalledTimes(1);
    expect(changed).toHaveBeenLastCalledWith({ fill: new Set(['fw1']), lack: new Set() });
    await looks(4, 100);
    expect(watch.warnings).toEqual([]);
    expect(log.info.mock.calls).toEqual([
      [expect.stringMatching(/^no longer so: 850 of .* \[table-fills\]$/)],
    ]);
    expect(changed).toHaveBeenLastCalledWith({ fill: new Set(), lack: new Set() });
  });

  it('says what a full table has cost', async () => {
    const { watch, machine, looks } = watching();
    machine.drops = 7;
    await looks(2, 1000);
    machine.drops = 12;
    await looks(1);
    expect(watch.warnings[0]?.text).toMatch(
      /^this node's connection table is full \(1000 entries\): .*; 5 packets were dropped for that since the agent began; /,
    );
    expect(codes(watch)).toEqual(['table-fills net.netfilter.nf_conntrack_max', 'no-room fw1']);
    expect(watch.warnings[1]?.text).toMatch(
      /^this node's connection table has no room for what the nodes hold, 1000 entries of at most 1000: /,
    );
  });

  it('names a peer without room, as long as that tells of it', async () => {
    const { watch, changed, looks } = watching();
    watch.counted(600);
    watch.heard('fw2', { used: 350, max: 600, own: 0 });
    await looks(2, 600);
    expect(codes(watch)).toEqual(['no-room fw2']);
    expect(watch.warnings[0]?.text).toMatch(
      /^fw2's connection table .*, 600 entries of at most 600: .*; allow more on fw2 with "sysctl -w net.netfilter.nf_conntrack_max=2048"$/,
    );
    expect(changed).toHaveBeenLastCalledWith({ fill: new Set(), lack: new Set(['fw2']) });
  });

  it('knows at once that the table was full before the agent began', async () => {
    const { watch, machine, changed } = watching();
    machine.used = 950;
    watch.begin();
    await vi.waitFor(() => expect(codes(watch)).toContain('no-room fw1'));
    expect(changed).toHaveBeenLastCalledWith({ fill: new Set(['fw1']), lack: new Set(['fw1']) });
    watch.close();
  });

  it('forgets what a silent peer told', async () => {
    const { watch, looks } = watching();
    watch.heard('fw2', { used: 1000, max: 1000 });
    await looks(2, 10);
    expect(codes(watch)).toEqual(['no-room fw2']);
    // As an older version's agent tells.
    watch.heard('fw2', undefined);
    await looks(1);
    expect(codes(watch)).toEqual(['no-room fw2']);
    await watch.look(performance.now() + 60_000);
    expect(watch.warnings).toEqual([]);
  });

  it('tells peers what the last look found, and nothing where there is no table', async () => {
    const { watch, machine, looks } = watching();
    expect(watch.own).toBeUndefined();
    await looks(1, 30);
    expect(watch.own).toEqual({ used: 30, max: MAX, own: undefined });
    watch.counted(20);
    await looks(1);
    expect(watch.own).toEqual({ used: 30, max: MAX, own: 20 });
    machine.used = undefined;
    machine.drops = undefined;
    await looks(1);
    expect(watch.own).toBeUndefined();
  });
});
