import { expect, test } from 'vitest';
import { agentInTheWay, type HeartWatch } from '../../../src/agent/in-the-way.ts';

const AGENT = 4711;

/** A node on which time passes, for all its processes but while it stands still. */
class Node {
  now = 0;
  runs = true;
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
        beatAge: () => (this.now - this.#beatAt) / 1000,
      },
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
