import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Flow } from '../../../src/cluster/flow.ts';
import { isDue, refreshInterval } from '../../../src/cluster/refresh.ts';

/** In seconds. What delays a round, and the takeover. */
const DELAY = 0.5;

const flow = (timeout: number, sport: number): Flow => {
  const original = { protocol: 17, src: 1, dst: 2, sport, dport: 53 };
  return { original, reply: original, status: 0, timeout };
};

/**
 * Whether the copy of a flow with a packet every third of its timeout outlives its owner's death just after any packet,
 * until the next one. `phase`: of the packets against the rounds, from 0 to 1.
 */
const survives = (timeout: number, interval: number, sport: number, phase: number): boolean => {
  const step = timeout / 3;
  const packets = Array.from({ length: 30 }, (_, index) => (index + phase) * step);
  let round = 0;
  let expires = Number.POSITIVE_INFINITY;
  for (const packet of packets) {
    for (; (round * interval) / 1000 < packet; round += 1) {
      const at = (round * interval) / 1000;
      const last = Math.floor(at / step - phase) * step + phase * step;
      if (isDue(flow(Math.floor(last + timeout - at), sport), round, interval)) {
        expires = at + DELAY + Math.floor(last + timeout - at);
      }
    }
    if (packet > 2 * timeout && expires < packet + step) {
      return false;
    }
  }
  return true;
};

describe('refreshing', () => {
  it('happens every fifth of the shortest timeout, within bounds', () => {
    expect(refreshInterval([30, 120, 432_000])).toBe(6000);
    expect(refreshInterval([3, 30])).toBe(1000);
    expect(refreshInterval([300])).toBe(20_000);
  });

  it('keeps a copy alive for which a packet comes every third of the timeout, however they meet', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 12, max: 2000 }),
        fc.integer({ min: 12, max: 2000 }),
        fc.integer({ min: 0, max: 65_535 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (timeout, other, sport, phase) => survives(timeout, refreshInterval([timeout, other]), sport, phase),
      ),
    );
  });

  it('comes in every round to a flow whose sequence numbers a helper has moved', () => {
    const moved = { ...flow(432_000, 32_768), status: 0x4e };
    const rounds = Array.from({ length: 40 }, (_, round) => round);
    expect(rounds.filter((round) => isDue(moved, round, 6000))).toEqual(rounds);
    expect(rounds.filter((round) => isDue({ ...moved, status: 0xe }, round, 6000))).toHaveLength(2);
  });

  it('comes to each flow in 32 rounds at the latest, and to about as many in each', () => {
    const flows = Array.from({ length: 3200 }, (_, index) => flow(432_000, 32_768 + 2 * index));
    const counts = Array.from(
      { length: 32 },
      (_, round) => flows.filter((each) => isDue(each, round, 6000)).length,
    );
    expect(counts).toEqual(Array.from({ length: 32 }, () => 100));
  });

  it('never comes later because less is left', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10_000 }),
        fc.nat(10_000),
        fc.integer({ min: 0, max: 65_535 }),
        fc.nat(1000),
        (left, passed, sport, round) =>
          !isDue(flow(left, sport), round, 6000) ||
          isDue(flow(Math.max(left - passed, 0), sport), round, 6000),
      ),
    );
  });
});
