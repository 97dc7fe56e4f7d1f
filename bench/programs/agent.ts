import { openSync, readSync } from 'node:fs';
import { runProgram } from '../../src/commands/program.ts';

/**
 * The product, with a watch on its event loop. On SIGUSR2 it prints the longest turn since the last time: `heldMs` by the
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

void runProgram(process.argv).then((status) => {
  process.exitCode = status;
});
