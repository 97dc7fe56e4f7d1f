import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { type Environment, readEnvironment } from '../environment.ts';
import { allowFlows } from '../limits.ts';
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
  readonly replicas: 'kernel' | 'cache';
  /** Established flows of the group beside the one that is looked at. */
  readonly flows: number;
  readonly product: ProductResult;
}

interface Options {
  readonly repetitions: number;
  readonly json: string | undefined;
  readonly replicas: 'kernel' | 'cache';
  readonly flows: number;
}

export const measureHandback = async ({ repetitions, json, replicas, flows }: Options): Promise<void> => {
  allowFlows(2 * flows);
  const environment = await readEnvironment();
  const [load = 0] = loadavg();
  await buildPrograms();
  await untilQuiet();
  const product = await measureProduct({ repetitions, replicas, flows });
  const results: Results = { environment, load, replicas, flows, product };
  progress('done');
  if (json !== undefined) {
    await writeFile(json, `${JSON.stringify(results, null, 2)}\n`);
  }
  console.log(report(results));
};
