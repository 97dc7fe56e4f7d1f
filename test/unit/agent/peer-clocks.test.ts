import { describe, expect, it } from 'vitest';
import { PeerClocks } from '../../../src/agent/peer-clocks.ts';

/** A peer that says something every 100 ms, by its clock, which began 5 s before this node's. */
const AHEAD = 5000;
const talk = (clocks: PeerClocks, from: number, to: number, delay: (time: number) => number = () => 1) => {
  const found: number[] = [];
  for (let time = from; time < to; time += 100) {
    found.push(clocks.heard('fw2', 'one', time + AHEAD, time + delay(time)));
  }
  return found.filter((milliseconds) => milliseconds > 0);
};

describe('the peers’ clocks', () => {
  it('say how long this one stood still', () => {
    const clocks = new PeerClocks();
    expect(talk(clocks, 0, 3000)).toEqual([]);
    expect(clocks.heard('fw2', 'one', 3000 + AHEAD + 60_000, 3001)).toBe(60_000);
    expect(clocks.heard('fw2', 'one', 3100 + AHEAD + 60_000, 3101)).toBe(0);
  });

  it.each([
    [349, 0],
    [350, 350],
  ])('take %d ms for %d', (jump, found) => {
    const clocks = new PeerClocks();
    expect(talk(clocks, 0, 3000)).toEqual([]);
    expect(clocks.heard('fw2', 'one', 3000 + AHEAD + jump, 3001)).toBe(found);
  });

  it('say it once where what was sent meanwhile comes all at once', () => {
    const clocks = new PeerClocks();
    expect(talk(clocks, 0, 3000)).toEqual([]);
    const sent = Array.from({ length: 600 }, (_, index) => 3000 + AHEAD + index * 100);
    const found = sent.map((clock, index) => clocks.heard('fw2', 'one', clock, 3000 + index * 0.1));
    expect(found.filter((milliseconds) => milliseconds > 0)).toHaveLength(1);
    expect(talk(clocks, 63_000, 66_000, () => -60_000)).toEqual([]);
    expect(clocks.heard('fw2', 'one', 66_000 + AHEAD + 1000, 6000)).toBe(1000);
  });

  it('say nothing where messages are late, lost, or come all at once', () => {
    const clocks = new PeerClocks();
    expect(talk(clocks, 0, 60_000, (time) => (time % 7000 === 0 ? 900 : 1))).toEqual([]);
    // The link is cut for a minute; then what was sent last arrives.
    expect(talk(clocks, 120_000, 121_000)).toEqual([]);
    expect(
      [1, 2, 3].map((each) => clocks.heard('fw2', 'one', 122_000 + each * 100 + AHEAD, 122_400)),
    ).toEqual([0, 0, 0]);
  });

  it.each([5, 20, 60])('say nothing where this node was too busy to hear %d messages in time', (many) => {
    const clocks = new PeerClocks();
    const sent = Array.from({ length: many }, (_, index) => index + AHEAD);
    expect(sent.map((clock) => clocks.heard('fw2', 'one', clock, 900)).every((found) => found === 0)).toBe(
      true,
    );
    expect(talk(clocks, 1000, 5000)).toEqual([]);
  });

  it('say nothing where it was too busy again before it had heard all that waited', () => {
    const clocks = new PeerClocks();
    const sent = Array.from({ length: 64 }, (_, index) => index * 50 + AHEAD);
    const hear = (many: readonly number[], now: number) =>
      many.map((clock) => clocks.heard('fw2', 'one', clock, now)).filter((found) => found > 0);
    expect(hear(sent.slice(0, 32), 4000)).toEqual([]);
    clocks.awoke(4450);
    expect(hear(sent.slice(32), 4450)).toEqual([]);
    expect(talk(clocks, 4500, 8000)).toEqual([]);
  });

  it('say nothing where they drift apart, or the peer’s stood still', () => {
    const clocks = new PeerClocks();
    // 200 ppm: 720 ms in an hour.
    expect(talk(clocks, 0, 3_600_000, (time) => 1000 - time * 0.0002)).toEqual([]);
    // An hour without a word.
    expect(talk(clocks, 7_200_000, 7_203_000, (time) => 1000 - time * 0.0002)).toEqual([]);
    expect(talk(clocks, 7_203_000, 7_213_000, () => 60_000)).toEqual([]);
    // After that it tells again.
    expect(clocks.heard('fw2', 'one', 7_213_000 + AHEAD, 7_213_000 + 60_000 - 500)).toBe(500);
  });

  it('begin anew with a peer’s new agent, and know one from another', () => {
    const clocks = new PeerClocks();
    expect(talk(clocks, 0, 3000)).toEqual([]);
    expect(clocks.heard('fw2', 'two', 50_000_000, 3001)).toBe(0);
    expect(clocks.heard('fw3', 'three', 90_000_000, 3002)).toBe(0);
    expect(clocks.heard('fw2', 'two', 50_000_100, 3101)).toBe(0);
  });
});
