import { openSync, readSync } from 'node:fs';
import type { Alter } from '../../src/agent/assemble.ts';
import { runProgram } from '../../src/commands/program.ts';

/**
 * The product, with a watch on its event loop; with BENCH_VERIFY it compares that many milliseconds after a comparison
 * rather than in a minute, and says when it asks for an owner's list. On SIGUSR2 it prints the longest turn since the last time: `heldMs` by the
 * clock, `ownMs` without the time in which the thread could have run but other programs had the processors.
 */
const TICK_MS = 1;
const schedstat = openSync('/proc/self/schedstat', 'r');
const buffer = Buffer.alloc(128);

/** Milliseconds that the main thread has waited for a processor: the second number, in ns (proc(5)). */
const waitedMs = (): number => {
  const text = buffer.toString('latin1', 0, readSync(schedstat, buffer, 0, buffer.length, 0));
  return Number(text.split(' ')[1]) / 1e6;
};

let longest = { heldMs: 0, ownMs: 0 };
let last = performance.now();
let waited = waitedMs();

setInterval(() => {
  const now = performance.now();
  const waitedNow = waitedMs();
  const heldMs = now - last;
  longest = {
    heldMs: Math.max(longest.heldMs, heldMs),
    ownMs: Math.max(longest.ownMs, heldMs - (waitedNow - waited)),
  };
  last = now;
  waited = waitedNow;
}, TICK_MS).unref();

process.on('SIGUSR2', () => {
  process.stdout.write(`${JSON.stringify({ turns: longest })}\n`);
  longest = { heldMs: 0, ownMs: 0 };
});

const pause = Number(process.env['BENCH_VERIFY']);

const comparing: Alter = (parts) => ({
  ...parts,
  verify: pause,
  listOf: (...owner) => {
    process.stdout.write(`${JSON.stringify({ asked: Date.now() })}\n`);
    return parts.listOf(...owner);
  },
});

void runProgram(process.argv, pause > 0 ? comparing : undefined).then((status) => {
  process.exitCode = status;
});
