import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../../test/lab/rig/lab.ts';
import type { FirewallNode } from '../../test/lab/rig/node.ts';
import { until } from '../../test/lab/rig/wait.ts';
import { progress } from '../progress.ts';
import { type Adoption, MeasuredAgent, type Turns } from './agent.ts';
import { controlOf, fill, fillAgain, grows, kernelCount, statisticsOf } from './counts.ts';
import { BUCKETS } from './flows.ts';
import { Manager } from './manager.ts';

/** conntrack-ha: the time from keepalived's line in the FIFO to the buckets active in the kernel, in milliseconds. */
export interface WordResult {
  readonly flows: number;
  /** Entries in the survivor's table when the peer died. */
  readonly held: number;
  /** The agent had nothing else to do. */
  readonly atRest: readonly number[];
  /** A second group, while the agent was adopting the flows of the first. */
  readonly whileAdopting: readonly number[];
  readonly adoptions: readonly (Adoption & Turns & { readonly cached: number })[];
}

export interface WordPlan {
  readonly flows: number;
  readonly repetitions: number;
  /** How many of the repetitions wait until all flows are adopted. */
  readonly adoptions: number;
}

const HALF = BUCKETS / 2;
/**
 * What it has adopted is said at debug. A shorter silence of the peer shortens the pauses, not what is measured. The lease's
 * renewal takes buckets out and puts them in again: that is no takeover.
 */
const MORE = ['log: { level: debug }', 'timeouts: { peer: 300ms, lease: 0s }'];
const FIFO = '/run/conntrack-ha/keepalived.fifo';
/** What keepalived takes to notice a death with advert 0.1. */
const DETECTION_MS = 350;

export const measureWord = async (plan: WordPlan): Promise<WordResult> => {
  const what = `conntrack-ha, ${plan.flows} flows:`;
  progress(`${what} two nodes start`);
  const lab = await Lab.create({
    nodes: 2,
    clients: 1,
    cluster: { snat: true, manager: 'keepalived', more: MORE },
  });
  try {
    const [peer, survivor] = [lab.node('fw1'), lab.node('fw2')];
    const [, { agent, manager }] = await Promise.all([bringUp(peer), bringUp(survivor)]);
    await until(
      'fw2 to hold the states of fw1',
      async () => (await agent.status()).groups.every(({ synced }) => synced),
      20_000,
    );
    progress(`${what} replicated from fw1 to fw2`);
    await fill(peer, plan.flows);
    if (!(await grows(() => kernelCount(survivor), plan.flows))) {
      await fillAgain(peer, plan.flows);
    }
    const held = await kernelCount(survivor);
    if (held < plan.flows) {
      throw new Error(`fw2 holds ${held} of ${plan.flows} flows; were there errors? ${await lab.logs(20)}`);
    }
    await peer.powerCut();
    await sleep(DETECTION_MS);
    return { flows: plan.flows, held, ...(await repeat(plan, what, survivor, agent, manager)) };
  } finally {
    await lab.close();
  }
};

const bringUp = async (node: FirewallNode): Promise<{ agent: MeasuredAgent; manager: Manager }> => {
  await node.boot();
  const conntrackd = await node.product(['render', 'conntrackd']);
  await node.startConntrackd(conntrackd);
  const agent = await MeasuredAgent.start(node);
  const manager = new Manager(node.machine, FIFO);
  const other = node.name === 'fw1' ? 'fw2' : 'fw1';
  await manager.say({
    lines: [`INSTANCE "${node.name}_${other}" MASTER 150`, `INSTANCE "${other}_${node.name}" BACKUP 100`],
    awaits: 'added',
    count: HALF,
  });
  return { agent, manager };
};

/** fw2 takes over, gives both groups up again, comes to rest, and takes over again. */
const repeat = async (
  plan: WordPlan,
  what: string,
  survivor: FirewallNode,
  agent: MeasuredAgent,
  manager: Manager,
): Promise<Pick<WordResult, 'atRest' | 'whileAdopting' | 'adoptions'>> => {
  const control = controlOf(survivor);
  const atRest: number[] = [];
  const whileAdopting: number[] = [];
  const adoptions: WordResult['adoptions'][number][] = [];
  for (let turn = 1; turn <= plan.repetitions; turn += 1) {
    await agent.turns();
    const from = await agent.logged();
    atRest.push(await manager.say(word('fw1_fw2', 'MASTER')));
    if (turn > 1) {
      await sleep(5);
      whileAdopting.push(await manager.say(word('fw2_fw1', 'MASTER')));
    }
    if (turn <= plan.adoptions) {
      // The second word begins the adoption anew; the whole one is the last.
      const adoption = await agent.untilAdopted(from, plan.flows);
      const turns = await agent.turns();
      const count = async (): Promise<number> => (await statisticsOf(control)).internal.active;
      await grows(count, plan.flows);
      const cached = await count();
      adoptions.push({ ...adoption, ...turns, cached });
    }
    progress(`${what} takes over`, { done: turn, of: plan.repetitions });
    if (turn < plan.repetitions) {
      await toRest(agent, manager);
    }
  }
  return { atRest, whileAdopting, adoptions };
};

const word = (group: string, state: 'MASTER' | 'BACKUP') => ({
  lines: [`INSTANCE "${group}" ${state} 150`],
  awaits: 'added' as const,
  count: HALF,
});

/** Disowning ends with an adoption of what is still owned: nothing. */
const toRest = async (agent: MeasuredAgent, manager: Manager): Promise<void> => {
  const from = await agent.logged();
  await manager.say({
    lines: ['fw1_fw2', 'fw2_fw1'].map((group) => `INSTANCE "${group}" BACKUP 100`),
    awaits: 'removed',
    count: BUCKETS,
  });
  await agent.untilAtRest(from);
};
