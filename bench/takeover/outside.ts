import { bringUp } from '../../test/lab/cluster.ts';
import { Lab } from '../../test/lab/rig/lab.ts';
import { HOMES, untilShares } from '../../test/lab/shares.ts';
import { progress } from '../progress.ts';
import { Stream } from '../stream.ts';
import { fill } from './counts.ts';

/** From outside, with keepalived: the milliseconds that a flow's packets don't come, one sent each millisecond. */
export interface OutsideResult {
  readonly flows: number;
  readonly silence: readonly number[];
}

export interface OutsidePlan {
  readonly flows: number;
  readonly repetitions: number;
}

export const measureOutside = async (plan: OutsidePlan): Promise<OutsideResult> => {
  const what = `power cut, ${plan.flows} flows:`;
  progress(`${what} two nodes start`);
  const lab = await Lab.create({ nodes: 2, clients: 1, cluster: { snat: true, manager: 'keepalived' } });
  try {
    const node = lab.node('fw1');
    await Promise.all(lab.nodes.map((each) => bringUp(each, 'keepalived')));
    await untilShares(lab, HOMES);
    await fill(node, plan.flows);
    const stream = new Stream(lab);
    const silence: number[] = [];
    for (let turn = 1; turn <= plan.repetitions; turn += 1) {
      await stream.flows();
      await node.powerCut();
      await untilShares(lab, { fw1: 'off', fw2: 'all' });
      silence.push(await stream.silence());
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
