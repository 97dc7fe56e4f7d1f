import { setTimeout as delay } from 'node:timers/promises';
import type { Alter } from '../../../src/agent/assemble.ts';
import { runProgram } from '../../../src/commands/program.ts';

/** The product with one mechanism taken out, named by LAB_BREAK: what the flows' survival is owed to. */
const BREAKS: Readonly<Record<string, Alter>> = {
  /** No flow is ever touched: what a survivor took over never comes into its internal cache. */
  adopt: (parts) => ({
    ...parts,
    edges: {
      ...parts.edges,
      table: { ...parts.edges.table, touch: async () => ({ done: 0, missing: 0 }) },
    },
  }),
  /** The old owner answers the word before it closes, and closes three seconds later. */
  order: (parts) => ({
    ...parts,
    edges: {
      ...parts.edges,
      owned: {
        ...parts.edges.owned,
        change: async (change) => {
          if (change.remove.length > 0) {
            void delay(3000).then(() => parts.edges.owned.change({ add: [], remove: change.remove }));
          }
          await parts.edges.owned.change({ add: change.add, remove: [] });
        },
      },
    },
  }),
  /** A returning node takes an empty list for its peer's flows, and believes that it holds them all. */
  readiness: (parts) => ({
    ...parts,
    askBulk: () => {},
    listOf: async () => ({ hashes: nothing(), missing: async () => 0, close: () => {} }),
  }),
};

async function* nothing(): AsyncIterable<readonly number[]> {}

void runProgram(process.argv, BREAKS[process.env['LAB_BREAK'] ?? '']).then((status) => {
  process.exitCode = status;
});
