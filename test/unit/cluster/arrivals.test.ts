import { describe, expect, it } from 'vitest';
import { type Arrivals, type Quiet, quietSince, silenceOf } from '../../../src/cluster/arrivals.ts';

type Look = readonly [now: number, own: number | undefined, peers: Readonly<Record<string, number>>];

/** What is said after the last of these looks. */
const saidAfter = (...looks: readonly Look[]) => {
  let quiet: Quiet | undefined;
  let peers: Arrivals['peers'] = new Map();
  let now = 0;
  for (const [at, own, counts] of looks) {
    [now, peers] = [at, new Map(Object.entries(counts))];
    quiet = quietSince(quiet, { own, peers }, now);
  }
  return quiet && silenceOf(quiet, peers, now);
};

describe('silenceOf', () => {
  it('says that nothing has come in while a peer was busy', () => {
    expect(saidAfter([0, 7, { fw2: 100 }], [1000, 7, { fw2: 110 }], [3000, 7, { fw2: 130 }])).toEqual({
      milliseconds: 3000,
      peer: 'fw2',
      packets: 30,
    });
  });

  it('names the busiest peer', () => {
    expect(saidAfter([0, 7, { fw2: 0, fw3: 0 }], [3000, 7, { fw2: 30, fw3: 900 }])?.peer).toBe('fw3');
  });

  it.each<{ readonly where: string; readonly looks: readonly Look[] }>([
    {
      where: 'packets come in here',
      looks: [
        [0, 7, { fw2: 100 }],
        [2900, 8, { fw2: 500 }],
        [3000, 8, { fw2: 500 }],
      ],
    },
    {
      where: 'one has come in of late',
      looks: [
        [0, 7, { fw2: 100 }],
        [1000, 8, { fw2: 100 }],
        [3000, 8, { fw2: 500 }],
      ],
    },
    {
      where: 'it is too early',
      looks: [
        [0, 7, { fw2: 100 }],
        [2000, 7, { fw2: 500 }],
      ],
    },
    {
      where: 'the peers are quiet too',
      looks: [
        [0, 7, { fw2: 100 }],
        [9000, 7, { fw2: 110 }],
      ],
    },
    {
      where: 'nobody tells',
      looks: [
        [0, 7, {}],
        [9000, 7, {}],
      ],
    },
    {
      where: 'a peer has just begun to tell',
      looks: [
        [0, 7, {}],
        [9000, 7, { fw2: 1000 }],
      ],
    },
    {
      where: 'the peer counts anew',
      looks: [
        [0, 7, { fw2: 1000 }],
        [5000, 7, { fw2: 0 }],
        [9000, 7, { fw2: 19 }],
      ],
    },
    {
      where: 'this node counts anew',
      looks: [
        [0, 7, { fw2: 0 }],
        [9000, 0, { fw2: 1000 }],
      ],
    },
    {
      where: 'it was not known meanwhile',
      looks: [
        [0, 7, { fw2: 0 }],
        [5000, undefined, {}],
        [6000, 7, { fw2: 1000 }],
      ],
    },
  ])('says nothing where $where', ({ looks }) => {
    expect(saidAfter(...looks)).toBeUndefined();
  });

  it('counts what a peer has got since it began anew', () => {
    expect(saidAfter([0, 7, { fw2: 1000 }], [2000, 7, { fw2: 5 }], [3000, 7, { fw2: 35 }])).toMatchObject({
      packets: 30,
    });
  });
});
