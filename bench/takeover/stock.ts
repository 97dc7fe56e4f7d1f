import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Lab } from '../../test/lab/rig/lab.ts';
import type { FirewallNode } from '../../test/lab/rig/node.ts';
import { progress } from '../progress.ts';
import { controlOf, fill, fillAgain, grows, kernelCount, statisticsOf } from './counts.ts';
import { Manager } from './manager.ts';

/** The stock way: the time from the manager's word to the last cluster rule in the kernel, in milliseconds. */
export interface StockResult {
  readonly flows: number;
  readonly whole: readonly number[];
  /** Of it, by conntrackd's own log, the commit: the least that such a script must do. */
  readonly commit: readonly number[];
}

export interface StockPlan {
  readonly flows: number;
  readonly repetitions: number;
}

const NOTIFY = fileURLToPath(new URL('../stock/notify.sh', import.meta.url));
const CONFIGURATION = fileURLToPath(new URL('../stock/conntrackd.conf', import.meta.url));
const FIFO = '/run/stock.fifo';
/** One rule for each interface. */
const RULES = 2;

export const measureStock = async (plan: StockPlan): Promise<StockResult> => {
  const what = `stock way, ${plan.flows} flows:`;
  progress(`${what} two nodes start`);
  const lab = await Lab.create({ nodes: 2, clients: 1 });
  try {
    const [peer, survivor] = [lab.node('fw1'), lab.node('fw2')];
    await Promise.all([bringUp(peer), bringUp(survivor)]);
    await survivor.run(['sh', NOTIFY, 'start', '2']);
    const manager = await startManager(survivor);
    progress(`${what} replicated from fw1 to fw2`);
    await fill(peer, plan.flows);
    if (!(await grows(() => internalCount(peer), plan.flows))) {
      await fillAgain(peer, plan.flows);
    }
    const whole: number[] = [];
    const commit: number[] = [];
    for (let turn = 1; turn <= plan.repetitions; turn += 1) {
      await untilReplicated(peer, survivor, plan.flows, turn === 1);
      whole.push(await manager.say({ lines: ['primary 1'], awaits: 'rules', count: RULES }, 120_000));
      commit.push(await commitTime(survivor));
      const committed = await kernelCount(survivor);
      if (committed < plan.flows) {
        throw new Error(`the stock way committed ${committed} of ${plan.flows} flows`);
      }
      progress(`${what} takes over`, { done: turn, of: plan.repetitions });
      if (turn < plan.repetitions) {
        await undo(survivor);
      }
    }
    return { flows: plan.flows, whole, commit };
  } finally {
    await lab.close();
  }
};

const bringUp = async (node: FirewallNode): Promise<void> => {
  const [own, other] = node.name === 'fw1' ? ['10.99.0.1', '10.99.0.2'] : ['10.99.0.2', '10.99.0.1'];
  const text = await readFile(CONFIGURATION, 'utf8');
  await node.boot();
  await node.startConntrackd(text.replace(/\bNODE$/m, own).replace(/\bPEER$/m, other));
};

/** A shell that waits for words, so that starting the script costs no more than it costs keepalived: a fork. */
const startManager = async (node: FirewallNode): Promise<Manager> => {
  await node.run(['mkfifo', FIFO]);
  const loop = `while read -r word node; do sh ${NOTIFY} "$word" "$node"; done <>${FIFO}`;
  await node.machine.spawn('notify', ['sh', '-c', loop]);
  return new Manager(node.machine, FIFO);
};

/** The script's -f has emptied the external cache: the peer sends everything again. */
const untilReplicated = async (
  peer: FirewallNode,
  survivor: FirewallNode,
  flows: number,
  first: boolean,
): Promise<void> => {
  if (!first) {
    await controlOf(peer).send('bulk');
  }
  if (!(await grows(() => externalCount(survivor), flows))) {
    await fillAgain(peer, flows);
    if (!(await grows(() => externalCount(survivor), flows))) {
      throw new Error(`only ${await externalCount(survivor)} of ${flows} flows came to the external cache`);
    }
  }
};

/** Without the rules and the flows, in silence: what isn't in the internal cache is deleted without a word to the peer. */
const undo = async (node: FirewallNode): Promise<void> => {
  await node.run(['sh', NOTIFY, 'withdraw', '1']);
  await controlOf(node).send('flushInternal');
  await node.run(['conntrack', '-F']);
};

const internalCount = async (node: FirewallNode): Promise<number> =>
  (await statisticsOf(controlOf(node))).internal.active;

const externalCount = async (node: FirewallNode): Promise<number> => {
  const { external } = await statisticsOf(controlOf(node));
  return external.kind === 'cache' ? external.active : 0;
};

/** Milliseconds of the last commit. */
const commitTime = async (node: FirewallNode): Promise<number> => {
  const log = await readFile(node.machine.path('/var/log/conntrackd.log'), 'utf8');
  const seconds = [...log.matchAll(/commit has taken (\d+\.\d+) seconds/g)].at(-1)?.[1];
  return Number(seconds) * 1000;
};
