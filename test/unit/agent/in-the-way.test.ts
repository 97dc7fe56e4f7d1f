import { expect, test } from 'vitest';
import { agentInTheWay, type HeartWatch } from '../../../src/agent/in-the-way.ts';

const AGENT = 4711;

/** A node on which time passes, for all its processes but while it stands still. */
class Node {
  now = 0;
  runs = true;
  /** Whether its agent is being started. */
  starts = false;
  /** What its agent does between two beats. */
  does: 'stopped' | 'waits' | 'works' = 'stopped';
  #beatAt = 0;
  readonly #plan: readonly { readonly at: number; readonly act: () => void }[];

  constructor(plan: (node: Node) => readonly { readonly at: number; readonly act: () => void }[]) {
    this.#plan = plan(this);
  }

  beat(): void {
    this.#beatAt = this.now;
  }

  get watch(): HeartWatch {
    return {
      files: {
        runningAgent: () => (this.runs ? AGENT : undefined),
        startingAgent: () => (this.starts ? AGENT + 1 : undefined),
        beatAge: () => (this.now - this.#beatAt) / 1000,
      },
      activity: () => ({
        stopped: this.does === 'stopped',
        work: this.does === 'works' ? String(this.now) : '',
      }),
      now: () => this.now,
      wait: async (milliseconds) => this.pass(milliseconds),
    };
  }

  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (const { at, act } of this.#plan.filter((one) => one.at > this.now && one.at <= end)) {
      this.now = Math.max(this.now, at);
      act();
    }
    this.now = Math.max(this.now, end);
  }
}

const quiet = (): Node => new Node(() => []);

test('one that beats is well', async () => {
  const node = quiet();
  node.pass(900);
  expect([await agentInTheWay(node.watch), node.now]).toEqual(['well', 900]);
});

test('one that has ended is in nobody’s way, however old its heart', async () => {
  const node = quiet();
  node.pass(5000);
  node.runs = false;
  expect(await agentInTheWay(node.watch)).toBeUndefined();
});

test('one that ends while it is watched is in nobody’s way', async () => {
  const node = new Node((that) => [
    {
      at: 1600,
      act: () => {
        that.runs = false;
      },
    },
  ]);
  node.pass(1500);
  expect(await agentInTheWay(node.watch)).toBeUndefined();
});

test('one that is late and beats again is well', async () => {
  const node = new Node((that) => [{ at: 1900, act: () => that.beat() }]);
  node.pass(1500);
  expect([await agentInTheWay(node.watch), node.now]).toEqual(['well', 1900]);
});

test('one that is late and never beats is hung after two seconds', async () => {
  const node = quiet();
  node.pass(1500);
  expect([await agentInTheWay(node.watch), node.now]).toEqual([AGENT, 2000]);
});

test('one that waits for what doesn’t come is hung when it has done so for a second', async () => {
  const node = quiet();
  node.does = 'waits';
  node.pass(1500);
  expect([await agentInTheWay(node.watch), node.now]).toEqual([AGENT, 2500]);
});

test('one that works is slow, however old its heart', async () => {
  const node = new Node((that) => [{ at: 50_000, act: () => that.beat() }]);
  node.does = 'works';
  node.pass(1500);
  expect([await agentInTheWay(node.watch), node.now]).toEqual(['well', 50_000]);
});

test('one that works and hasn’t beaten for a minute is hung', async () => {
  const node = quiet();
  node.does = 'works';
  node.pass(1500);
  expect([await agentInTheWay(node.watch), node.now]).toEqual([AGENT, 61_500]);
});

test('one that is let run on for a moment every now and then is slow', async () => {
  const node = new Node((that) =>
    Array.from({ length: 40 }, (_, index) => ({
      at: 250 * index,
      act: () => {
        that.does = index % 2 === 0 ? 'works' : 'stopped';
      },
    })).concat({ at: 9000, act: () => that.beat() }),
  );
  expect(await agentInTheWay(node.watch)).toBe('well');
  node.pass(1500);
  expect([await agentInTheWay(node.watch), node.now]).toEqual(['well', 9000]);
});

test('one that is being started is never hung, whatever there was before', async () => {
  const node = quiet();
  node.pass(5000);
  node.starts = true;
  expect([await agentInTheWay(node.watch), node.now]).toEqual(['well', 5000]);
  const later = new Node((that) => [
    {
      at: 1900,
      act: () => {
        that.starts = true;
      },
    },
  ]);
  later.pass(1500);
  expect([await agentInTheWay(later.watch), later.now]).toEqual(['well', 1900]);
});

test('one whose node stood still is given a moment, also by who comes after that', async () => {
  const node = new Node((that) => [{ at: 2800, act: () => that.beat() }]);
  node.pass(2600);
  expect([await agentInTheWay(node.watch), node.now]).toEqual(['well', 2800]);
  const hung = quiet();
  hung.pass(2600);
  expect([await agentInTheWay(hung.watch), hung.now]).toEqual([AGENT, 2900]);
});

test('one that was watched when the node stood still is given a moment after it', async () => {
  const node = new Node((that) => [
    // The watcher's wait of 50 ms takes 2 s, as the agent's heart does.
    { at: 1510, act: () => that.pass(2000) },
    { at: 3700, act: () => that.beat() },
  ]);
  node.pass(1200);
  expect(await agentInTheWay(node.watch)).toBe('well');
});
