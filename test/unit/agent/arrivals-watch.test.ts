import { describe, expect, it } from 'vitest';
import { ArrivalsWatch } from '../../../src/agent/arrivals-watch.ts';

const MAC = '01:00:5e:00:00:05';

/** A watch of one leg, whose peer gets a hundred packets a second. */
const watching = () => {
  const machine: { own: number | undefined; lost: string[]; now: number } = { own: 5, lost: [], now: 10_000 };
  const logged: string[] = [];
  const watch = new ArrivalsWatch([{ name: 'eth1', mac: MAC }], {
    read: async () => {
      if (machine.own === undefined) throw new RangeError('no rules');
      return new Map([['eth1', machine.own]]);
    },
    lost: () => machine.lost,
    log: {
      info: (text: string) => logged.push(`info ${text}`),
      warn: (text: string) => logged.push(`warn ${text}`),
    },
  });
  const look = async (peer: Readonly<Record<string, number>> | undefined): Promise<void> => {
    watch.told('fw2', peer, machine.now);
    await watch.look(() => machine.now);
  };
  /** Looks once a second. */
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      machine.now += 1000;
      await look({ eth1: machine.now / 10 });
    }
  };
  return { watch, logged, machine, look, pass };
};

describe('ArrivalsWatch', () => {
  it('says after three seconds that nothing comes in while the peer is busy, and ends it with the first packet', async () => {
    const { watch, logged, machine, pass } = watching();
    await pass(3);
    expect(watch.warnings).toEqual([]);
    await pass(1);
    expect(watch.warnings).toEqual([
      {
        code: 'leg-silent',
        object: 'eth1',
        text: `eth1: no packet to ${MAC} has come in for 3 s, and 300 have at fw2: what this node owns isn't served there, though the agents' frames come in; see what drops packets before they are sorted (the switch's port, an XDP program), and have the peers take over with "conntrack-ha drain" until then`,
      },
    ]);
    await pass(2);
    machine.own = 6;
    await pass(1);
    expect(watch.warnings).toEqual([]);
    expect(logged).toEqual([
      expect.stringMatching(/^warn eth1: no packet .* for 3 s, .* \[leg-silent\]$/),
      expect.stringMatching(/^info no longer so: eth1: no packet .* for 5 s, .* \[leg-silent\]$/),
    ]);
  });

  it('tells the peers what it has read', async () => {
    const { watch, machine, pass } = watching();
    expect(watch.own).toBeUndefined();
    await pass(1);
    expect(watch.own).toEqual({ eth1: 5 });
    machine.own = undefined;
    await pass(1);
    expect(watch.own).toBeUndefined();
  });

  it('concludes nothing from the time in which the leg was lost, or the rules were away, or it stood still', async () => {
    const { watch, machine, pass } = watching();
    await pass(4);
    machine.lost = ['eth1'];
    await pass(1);
    expect(watch.warnings).toEqual([]);
    machine.lost = [];
    await pass(3);
    expect(watch.warnings).toEqual([]);
    machine.own = undefined;
    await pass(1);
    machine.own = 5;
    await pass(3);
    expect(watch.warnings).toEqual([]);
    machine.now += 5000;
    await pass(3);
    expect(watch.warnings).toEqual([]);
    await pass(1);
    expect(watch.warnings).toHaveLength(1);
  });

  it('compares with no peer that has fallen silent, or is of an older version', async () => {
    const { watch, machine, look } = watching();
    for (const peer of [{ eth1: 100 }, undefined, undefined, undefined, undefined, undefined]) {
      machine.now += 1000;
      await look(peer);
    }
    expect(watch.warnings).toEqual([]);
  });
});
