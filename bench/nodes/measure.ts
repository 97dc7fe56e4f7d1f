import { writeFile } from 'node:fs/promises';
import { bringUp } from '../../test/lab/cluster.ts';
import { placementOf, untilPlaced } from '../../test/lab/placement.ts';
import { Lab } from '../../test/lab/rig/lab.ts';
import { type Environment, readEnvironment } from '../environment.ts';
import { buildPrograms } from '../program-files.ts';
import { progress } from '../progress.ts';
import { report } from './report.ts';

/** What was seen of one cluster. Times in milliseconds. */
export interface NodesResult {
  readonly nodes: number;
  /** From fw1's power cut until the survivors' kernels own all its buckets, as placed. */
  readonly takenOver: readonly number[];
  /** From fw1's booting until every node owns its home again. */
  readonly homeAgain: readonly number[];
  /** How many of fw1's buckets each survivor got. */
  readonly shares: readonly number[];
}

export interface Results {
  readonly environment: Environment;
  readonly clusters: readonly NodesResult[];
}

interface Options {
  readonly quick: boolean;
  readonly json: string | undefined;
}

const SIZES = { full: [2, 3, 5], quick: [3] };
const REPETITIONS = { full: 10, quick: 1 };

/** Clusters of several sizes, driven by keepalived: how one node's failure and return are spread over the others. */
export const measureNodes = async ({ quick, json }: Options): Promise<void> => {
  const environment = await readEnvironment();
  const length = quick ? 'quick' : 'full';
  await buildPrograms();
  const clusters: NodesResult[] = [];
  for (const nodes of SIZES[length]) {
    clusters.push(await measureCluster(nodes, REPETITIONS[length]));
  }
  const results: Results = { environment, clusters };
  if (json !== undefined) {
    await writeFile(json, `${JSON.stringify(results, null, 2)}\n`);
  }
  console.log(report(results));
};

const measureCluster = async (nodes: number, repetitions: number): Promise<NodesResult> => {
  progress(`${nodes} nodes start`);
  await using lab = await Lab.create({ nodes, clients: 0, cluster: { snat: true, manager: 'keepalived' } });
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'keepalived')));
  const all = lab.nodes.map(({ name }) => name);
  const [first = '', ...others] = all;
  await untilPlaced(lab, all, 60_000);
  const takenOver: number[] = [];
  const homeAgain: number[] = [];
  for (let done = 1; done <= repetitions; done += 1) {
    const cut = performance.now();
    await lab.node(first).powerCut();
    await untilPlaced(lab, others);
    takenOver.push(performance.now() - cut);
    const booted = performance.now();
    await bringUp(lab.node(first), 'keepalived');
    await untilPlaced(lab, all, 60_000);
    homeAgain.push(performance.now() - booted);
    progress(`${nodes} nodes: one fails and returns`, { done, of: repetitions });
  }
  const home = placementOf(lab, all);
  const without = placementOf(lab, others);
  const shares = others.map((name) => (without.get(name)?.length ?? 0) - (home.get(name)?.length ?? 0));
  return { nodes, takenOver, homeAgain, shares };
};
