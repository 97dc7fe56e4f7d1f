import { runProgram } from '../../src/commands/program.ts';

/**
 * The product, with a watch on its event loop. On SIGUSR2 it prints the longest turn since the last time: `heldMs` by the
 * clock, `workMs` the processor time that the process used in the turn that used most.
 */
const TICK_MS = 1;
let longest = { heldMs: 0, workMs: 0 };
let last = performance.now();
let worked = processorMs();

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

setInterval(() => {
  const now = performance.now();
  const processor = processorMs();
  longest = {
    heldMs: Math.max(longest.heldMs, now - last),
    workMs: Math.max(longest.workMs, processor - worked),
  };
  last = now;
  worked = processor;
}, TICK_MS).unref();

process.on('SIGUSR2', () => {
  process.stdout.write(`${JSON.stringify({ turns: longest })}\n`);
  longest = { heldMs: 0, workMs: 0 };
});

void runProgram(process.argv).then((status) => {
  process.exitCode = status;
});
