/** Does one thing with the data plane of the machine that it runs in: a Request on stdin, an Answer on stdout. */
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { isDue } from '../../../src/cluster/refresh.ts';
import type { ClusterConfig } from '../../../src/config/types.ts';
import { dataPlaneId, type Loaded, loadDataPlane } from '../../../src/dataplane/load.ts';
import { OWNED, OWNED_SETS } from '../../../src/dataplane/owned.ts';
import { Prefilter } from '../../../src/dataplane/prefilter/prefilter.ts';
import { PrefilteredOwned } from '../../../src/dataplane/prefilter/prefiltered-owned.ts';
import { rulesOf } from '../../../src/dataplane/rules.ts';
import { type Unloaded, unloadDataPlane } from '../../../src/dataplane/unload.ts';
import { Conntrack } from '../../../src/kernel/conntrack.ts';
import { Nftables } from '../../../src/kernel/nftables.ts';
import { nodeNamed } from './cluster-config.ts';

export interface Request {
  /** `refresh`: touches the flows that are due in any round. */
  readonly action: 'load' | 'unload' | 'id' | 'renew' | 'own' | 'refresh';
  readonly config: ClusterConfig;
  readonly node: string;
  readonly owned?: readonly number[];
  readonly renewals?: Renewals;
  /** For `own`: done one after the other. */
  readonly changes?: readonly Change[];
}

export interface Change {
  readonly add: readonly number[];
  readonly remove: readonly number[];
}

/** Of the owned buckets, whichever they are: `rounds`, `everyMs` apart. After the last they stay for ever. */
export interface Renewals {
  readonly rounds: number;
  readonly everyMs: number;
  readonly timeout: number;
}

export interface Answer {
  readonly loaded?: Loaded;
  readonly unloaded?: Unloaded;
  readonly id?: string | undefined;
  /** What is owned at the end, ascending, and how long each change took in milliseconds. */
  readonly owned?: readonly number[];
  readonly took?: readonly number[];
  /** How many buckets were renewed in each round. */
  readonly renewed?: readonly number[];
  /** How many flows were touched. */
  readonly refreshed?: number;
  readonly error?: { readonly name: string; readonly message: string };
}

const act = async ({ action, config, node, owned, renewals, changes = [] }: Request): Promise<Answer> => {
  if (action === 'unload') return { unloaded: await unloadDataPlane(config) };
  if (action === 'refresh') return { refreshed: await refresh() };
  if (action === 'id') return { id: await dataPlaneId(config) };
  if (action === 'own') return own(config, node, changes);
  if (renewals !== undefined) return { renewed: await renew(renewals) };
  const loaded = await loadDataPlane(config, nodeNamed(config, node), owned === undefined ? {} : { owned });
  if (config.prefilter) await prefiltered(config, node);
  return { loaded };
};

/** As the agent has it some time after it took what it owns. It isn't closed: the programs stay, as a killed agent's do. */
const prefiltered = async (config: ClusterConfig, node: string): Promise<PrefilteredOwned> => {
  const refused = (text: string): void => {
    throw new Error(text);
  };
  const programs = new Prefilter(config, nodeNamed(config, node), refused);
  const owned = new PrefilteredOwned(rulesOf(config.firewall).owned(config), programs, refused);
  await owned.follow();
  return owned;
};

const own = async (config: ClusterConfig, node: string, changes: readonly Change[]): Promise<Answer> => {
  const handle = config.prefilter ? await prefiltered(config, node) : rulesOf(config.firewall).owned(config);
  const took: number[] = [];
  for (const change of changes) {
    const began = performance.now();
    await handle.change(change);
    took.push(performance.now() - began);
  }
  if (!config.prefilter) await handle.close();
  // Not what this one believes.
  const fresh = rulesOf(config.firewall).owned(config);
  const owned = [...(await fresh.read())].sort((one, other) => one - other);
  await fresh.close();
  return { owned, took };
};

const renew = async ({ rounds, everyMs, timeout }: Renewals): Promise<readonly number[]> => {
  const nftables = new Nftables();
  const renewed: number[] = [];
  const keys = await nftables.elements(OWNED);
  for (let round = 0; round < rounds; round += 1) {
    renewed.push((await nftables.renewAll(OWNED_SETS, keys, timeout))[0]?.length ?? 0);
    await delay(everyMs);
  }
  await nftables.renewAll(OWNED_SETS, keys);
  nftables.close();
  return renewed;
};

const refresh = async (): Promise<number> => {
  const conntrack = new Conntrack();
  let touched = 0;
  for await (const flows of conntrack.dump()) {
    const due = flows.filter((flow) => [1, 2, 3].every((round) => isDue(flow, round, 1)));
    touched += (await conntrack.touch(due.map(({ original }) => original))).done;
  }
  conntrack.close();
  return touched;
};

const main = async (): Promise<void> => {
  const request: Request = JSON.parse(await text(process.stdin));
  const answer = await act(request).catch((error: Error): Answer => {
    return { error: { name: error.name, message: error.message } };
  });
  process.stdout.write(JSON.stringify(answer), () => process.exit());
};

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
