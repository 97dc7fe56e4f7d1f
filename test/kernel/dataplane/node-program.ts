/** Does one thing with the data plane of the machine that it runs in: a Request on stdin, an Answer on stdout. */
import { text } from 'node:stream/consumers';
import type { ClusterConfig } from '../../../src/config/types.ts';
import { dataPlaneId, type Loaded, loadDataPlane } from '../../../src/dataplane/load.ts';
import { type Unloaded, unloadDataPlane } from '../../../src/dataplane/unload.ts';
import { nodeNamed } from './cluster-config.ts';

export interface Request {
  readonly action: 'load' | 'unload' | 'id';
  readonly config: ClusterConfig;
  readonly node: string;
  readonly owned?: readonly number[];
}

export interface Answer {
  readonly loaded?: Loaded;
  readonly unloaded?: Unloaded;
  readonly id?: string | undefined;
  readonly error?: { readonly name: string; readonly message: string };
}

const act = async ({ action, config, node, owned }: Request): Promise<Answer> => {
  if (action === 'unload') return { unloaded: await unloadDataPlane(config) };
  if (action === 'id') return { id: await dataPlaneId(config) };
  return {
    loaded: await loadDataPlane(config, nodeNamed(config, node), owned === undefined ? {} : { owned }),
  };
};

const main = async (): Promise<void> => {
  const request: Request = JSON.parse(await text(process.stdin));
  const answer = await act(request).catch((error: Error): Answer => {
    return { error: { name: error.name, message: error.message } };
  });
  process.stdout.write(JSON.stringify(answer));
};

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
