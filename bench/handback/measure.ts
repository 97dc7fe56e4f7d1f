import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { type Environment, readEnvironment } from '../environment.ts';
import { allowFlows } from '../limits.ts';
import { buildPrograms } from '../program-files.ts';
import { progress } from '../progress.ts';
import { untilQuiet } from '../takeover/quiet.ts';
import { measureClone } from './clone.ts';
import type { Handovers } from './handovers.ts';
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
  /** By the manager. */
  readonly product: Readonly<Partial<Record<'keepalived' | 'pacemaker', ProductResult>>>;
  readonly clone: Handovers | undefined;
}

/** Who moves the group. `clone`: without conntrack-ha. */
export const MOVERS = ['keepalived', 'pacemaker', 'clone'] as const;
export type Mover = (typeof MOVERS)[number];

interface Options {
  readonly movers: readonly Mover[];
  readonly repetitions: number;
  readonly json: string | undefined;
  readonly replicas: 'kernel' | 'cache';
  readonly flows: number;
}

export const measureHandback = async ({
  movers,
  repetitions,
  json,
  replicas,
  flows,
}: Options): Promise<void> => {
  allowFlows(2 * flows);
  const environment = await readEnvironment();
  const [load = 0] = loadavg();
  await buildPrograms();
  const product: { keepalived?: ProductResult; pacemaker?: ProductResult } = {};
  for (const manager of ['keepalived', 'pacemaker'] as const) {
    if (movers.includes(manager)) {
      await untilQuiet();
      product[manager] = await measureProduct({ manager, repetitions, replicas, flows });
    }
  }
  await untilQuiet();
  const clone = movers.includes('clone') ? await measureClone(repetitions) : undefined;
  const results: Results = { environment, load, replicas, flows, product, clone };
  progress('done');
  if (json !== undefined) {
    await writeFile(json, `${JSON.stringify(results, null, 2)}\n`);
  }
  console.log(report(results));
};
