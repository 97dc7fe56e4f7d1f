#!/usr/bin/env node
import { runProgram } from './commands/program.ts';

// Whoever reads the output may have gone (`| head`): no reason for a stack trace, and the agent goes on without.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

// Not a top-level await: the program is bundled as CommonJS, which starts faster.
void runProgram(process.argv).then((status) => {
  process.exitCode = status;
});
