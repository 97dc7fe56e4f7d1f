import { describe, expect, it } from 'vitest';
import { CacheFill } from '../../../src/agent/cache-fill.ts';

const filled = () => {
  const told: (readonly [number, number])[] = [];
  const fill = new CacheFill((held, flows) => told.push([held, flows]));
  fill.counted(100);
  expect(fill.look(100, true)).toBe(false);
  return { fill, told };
};

describe('CacheFill', () => {
  it('finds it emptied at the second look, once, and says so when the flows were counted again', () => {
    const { fill, told } = filled();
    expect([0, 1, 2, 3].map((held) => fill.look(held, true))).toEqual([false, true, false, false]);
    expect(told).toEqual([]);
    fill.counted(90);
    expect(told).toEqual([[1, 90]]);
  });

  it('says nothing if the flows have ended', () => {
    const { fill, told } = filled();
    expect([10, 10].map((held) => fill.look(held, true))).toEqual([false, true]);
    fill.counted(11);
    expect(told).toEqual([]);
  });

  it('finds it emptied once more when it was full again', () => {
    const { fill, told } = filled();
    expect([0, 0].map((held) => fill.look(held, true))).toEqual([false, true]);
    fill.counted(100);
    expect([100, 0, 0].map((held) => fill.look(held, true))).toEqual([false, false, true]);
    fill.counted(100);
    expect(told).toHaveLength(2);
  });

  it('concludes nothing while the agent itself empties and fills it', () => {
    const { fill } = filled();
    expect([0, 0, 0].map((held) => fill.look(held, false))).toEqual([false, false, false]);
    expect(fill.look(0, true)).toBe(false);
  });

  it('concludes nothing after that either before it was full again: conntrackd may still be reading', () => {
    const { fill, told } = filled();
    fill.look(0, false);
    fill.counted(100);
    expect([0, 10, 20].map((held) => fill.look(held, true))).toEqual([false, false, false]);
    expect([90, 0, 0].map((held) => fill.look(held, true))).toEqual([false, false, true]);
    // It is being filled, which takes longer than a look.
    fill.look(0, false);
    fill.counted(100);
    expect(told).toEqual([[0, 100]]);
  });

  it('finds it emptied right after the agent has filled it, when it grows no more, and only once', () => {
    const { fill, told } = filled();
    fill.look(100, false);
    fill.counted(100);
    expect([0, 10, 10, 10, 10].map((held) => fill.look(held, true))).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
    fill.look(0, false);
    fill.counted(100);
    expect(told).toEqual([[10, 100]]);
    // The agent has filled it anew, and it stays as it is: its events are switched off.
    expect([0, 0, 0, 0, 0].some((held) => fill.look(held, true))).toBe(false);
  });

  it('knows of flows that began after they were counted by what it held', () => {
    const { fill, told } = filled();
    fill.counted(1);
    expect([50, 0, 0].map((held) => fill.look(held, true))).toEqual([false, false, true]);
    fill.counted(50);
    expect([50, 20, 20].map((held) => fill.look(held, true))).toEqual([false, false, true]);
    // They had ended.
    fill.counted(21);
    expect(told).toEqual([[0, 50]]);
    expect([20, 20, 20].some((held) => fill.look(held, true))).toBe(false);
  });

  it('concludes nothing of one that was never full: its events are switched off', () => {
    const fill = new CacheFill(() => expect.unreachable());
    fill.counted(100);
    expect([0, 0, 0].map((held) => fill.look(held, true))).toEqual([false, false, false]);
  });
});
