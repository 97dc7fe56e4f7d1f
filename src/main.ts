#!/usr/bin/env node
import { runProgram } from './commands/program.ts';

// Not a top-level await: the program is bundled as CommonJS, which starts faster.
void runProgram(process.argv).then((status) => {
  process.exitCode = status;
});
