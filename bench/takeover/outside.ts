import { bringUp } from '../../test/lab/cluster.ts';
import { addressAt } from '../../test/lab/flows.ts';
import { Lab } from '../../test/lab/rig/lab.ts';
import { SERVER } from '../../test/lab/rig/plan.ts';
import { until } from '../../test/lab/rig/wait.ts';
import { HOMES, untilShares } from '../../test/lab/shares.ts';
import { Program } from '../../test/lab/traffic/program.ts';
import { progress } from '../progress.ts';
import { fill } from './counts.ts';
import { programFile } from './programs.ts';

/** From outside, with keepalived: the milliseconds that a flow's packets don't come, one sent each millisecond. */
export interface OutsideResult {
  readonly flows: number;
  readonly silence: readonly number[];
}

export interface OutsidePlan {
  readonly flows: number;
  readonly repetitions: number;
}

interface Arrivals {
  readonly count: number;
  readonly longestMs: number;
}

const PORT = 9000;

export const measureOutside = async (plan: OutsidePlan): Promise<OutsideResult> => {
  const what = `power cut, ${plan.flows} flows:`;
  progress(`${what} two nodes start`);
  const lab = await Lab.create({ nodes: 2, clients: 1, cluster: { snat: true, manager: 'keepalived' } });
  try {
    const [node, client] = [lab.node('fw1'), lab.client('c1')];
    await Promise.all(lab.nodes.map((each) => bringUp(each, 'keepalived')));
    await untilShares(lab, HOMES);
    await fill(node, plan.flows);
    const said: Arrivals[] = [];
    const server = new Program<Arrivals, string>(
      lab.server,
      [programFile('arrivals'), String(PORT)],
      (value) => {
        said.push(value);
      },
    );
    const from = addressAt(client.plan, 'fw1');
    new Program(client.machine, [programFile('stream'), from, SERVER, String(PORT)], () => undefined);
    const arrivals = async (): Promise<Arrivals> => {
      const before = said.length;
      server.tell('');
      await until(
        'the server',
        () => said.length > before || server.errors,
        5000,
        (state) => state === true,
      );
      return said.at(-1) ?? { count: 0, longestMs: 0 };
    };
    const flowing = () =>
      until('the stream', arrivals, 10_000, ({ count, longestMs }) => count > 0 && longestMs < QUIET_MS);
    const silence: number[] = [];
    for (let turn = 1; turn <= plan.repetitions; turn += 1) {
      await flowing();
      await node.powerCut();
      await untilShares(lab, { fw1: 'off', fw2: 'all' });
      await until('the stream through fw2', arrivals, 10_000, ({ longestMs }) => {
        if (longestMs < QUIET_MS) {
          return false;
        }
        silence.push(longestMs);
        return true;
      });
      progress(`${what} first packet through the survivor`, { done: turn, of: plan.repetitions });
      if (turn < plan.repetitions) {
        await bringUp(node, 'keepalived');
        await untilShares(lab, HOMES);
      }
    }
    return { flows: plan.flows, silence };
  } finally {
    await lab.close();
  }
};

/** Longer without a packet is an interruption; keepalived doesn't notice a death sooner than in three advertisements. */
const QUIET_MS = 100;
