import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { type Environment, readEnvironment } from '../environment.ts';
import { buildPrograms } from '../program-files.ts';
import { progress } from '../progress.ts';
import { untilQuiet } from '../takeover/quiet.ts';
import { measureProduct, type ProductResult } from './product.ts';
import { report } from './report.ts';

/** Everything that one run has measured; `--json` writes it. Times are milliseconds. */
export interface Results {
  readonly environment: Environment;
  /** Of the last minute, when it began: programs that could run on this machine. */
  readonly load: number;
  readonly product: ProductResult;
}

interface Options {
  readonly quick: boolean;
  readonly json: string | undefined;
}

export const measureHandback = async ({ quick, json }: Options): Promise<void> => {
  const environment = await readEnvironment();
  const [load = 0] = loadavg();
  await buildPrograms();
  await untilQuiet();
  const results: Results = { environment, load, product: await measureProduct(quick ? 2 : 20) };
  progress('done');
  if (json !== undefined) {
    await writeFile(json, `${JSON.stringify(results, null, 2)}\n`);
  }
  console.log(report(results));
};
