import { constants, openSync, writeSync } from 'node:fs';
import { readCommands, say } from '../../test/lab/traffic/json-lines.ts';
import { watchRules } from '../set-events.ts';
import type { Order } from '../takeover/manager.ts';

/**
 * `manager.js FIFO`, inside a node: stands for the HA manager. It holds the FIFO open, writes each order's line into it,
 * and waits until the kernel reports the change. Both times are of this process's clock: the time between includes its
 * own waking up.
 */
const seen = { added: new Set<number>(), removed: new Set<number>(), rules: 0 };
let order: Order | undefined;
let began = 0;

const take = (into: Set<number>, buckets: readonly number[]): void => {
  for (const bucket of buckets) {
    into.add(bucket);
  }
};

const isDone = ({ awaits, count }: Order): boolean =>
  awaits === 'nothing' || (awaits === 'rules' ? seen.rules : seen[awaits].size) >= count;

const settle = (): void => {
  const now = performance.now();
  if (order !== undefined && isDone(order)) {
    order = undefined;
    say({ milliseconds: now - began });
  }
};

watchRules(({ added, removed, rules }) => {
  take(seen.added, added);
  take(seen.removed, removed);
  seen.rules += rules;
  settle();
});

// Both ways, as keepalived does: it neither waits for a reader nor loses its place when that is restarted (fifo(7)).
const fifo = openSync(process.argv[2] ?? '', constants.O_RDWR | constants.O_NONBLOCK);

readCommands<Order>(
  (next) => {
    seen.added.clear();
    seen.removed.clear();
    seen.rules = 0;
    order = next;
    const text = next.lines.map((line) => `${line}\n`).join('');
    began = performance.now();
    writeSync(fifo, text);
    settle();
  },
  () => process.exit(0),
);
