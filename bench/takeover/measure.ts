import { writeFile } from 'node:fs/promises';
import { type Environment, readEnvironment } from '../environment.ts';
import { allowFlows } from '../limits.ts';
import { buildPrograms } from '../program-files.ts';
import { progress } from '../progress.ts';
import { measureOutside, type OutsideResult } from './outside.ts';
import { untilQuiet } from './quiet.ts';
import { report } from './report.ts';
import { measureStock, type StockResult } from './stock.ts';
import { measureWord, type WordResult } from './word.ts';

/** Everything that one run has measured; `--json` writes it. Times are milliseconds. */
export interface Results {
  readonly environment: Environment;
  readonly word: readonly WordResult[];
  readonly stock: readonly StockResult[];
  readonly outside: OutsideResult;
}

interface Options {
  readonly quick: boolean;
  readonly json: string | undefined;
}

const FULL = {
  both: [
    { flows: 1000, repetitions: 20, adoptions: 3 },
    { flows: 100_000, repetitions: 20, adoptions: 3 },
    { flows: 500_000, repetitions: 20, adoptions: 3 },
  ],
  outside: { flows: 1000, repetitions: 20 },
} as const;

const QUICK = {
  both: [
    { flows: 1000, repetitions: 2, adoptions: 1 },
    { flows: 20_000, repetitions: 2, adoptions: 1 },
  ],
  outside: { flows: 1000, repetitions: 1 },
} as const;

export const measureTakeover = async ({ quick, json }: Options): Promise<void> => {
  const plan = quick ? QUICK : FULL;
  const environment = await readEnvironment();
  await buildPrograms();
  allowFlows(2 * Math.max(...plan.both.map(({ flows }) => flows)));
  const word: WordResult[] = [];
  const stock: StockResult[] = [];
  for (const part of plan.both) {
    await untilQuiet();
    word.push(await measureWord(part));
    await untilQuiet();
    stock.push(await measureStock(part));
  }
  await untilQuiet();
  const results: Results = { environment, word, stock, outside: await measureOutside(plan.outside) };
  progress('done');
  if (json !== undefined) {
    await writeFile(json, `${JSON.stringify(results, null, 2)}\n`);
  }
  console.log(report(results));
};
