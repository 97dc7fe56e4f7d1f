import { runProgram } from '../../src/commands/program.ts';

/** The product. On SIGUSR2 it prints how much memory it uses, in bytes; until then nothing differs. */
process.on('SIGUSR2', () => {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  process.stdout.write(`${JSON.stringify({ memory: { rss, heapUsed, heapTotal, external } })}\n`);
});

void runProgram(process.argv).then((status) => {
  process.exitCode = status;
});
