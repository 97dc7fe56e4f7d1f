import { Control } from '../../src/conntrackd/control.ts';
import { parseStatistics, type Statistics } from '../../src/conntrackd/statistics.ts';
import type { FirewallNode } from '../../test/lab/rig/node.ts';
import { until } from '../../test/lab/rig/wait.ts';
import { programFile } from '../program-files.ts';

/** Flows a second that a node is filled with: conntrackd on both sides keeps up, also on two cores. */
const FILL_RATE = 40_000;

/** Makes the flows in the node's kernel; conntrackd sends them to the peer. */
export const fill = async (node: FirewallNode, flows: number): Promise<void> => {
  await runFill(node, 'insert', flows);
};

/** Announces them once more, for what conntrackd has missed. */
export const fillAgain = async (node: FirewallNode, flows: number): Promise<void> => {
  await runFill(node, 'touch', flows);
};

const runFill = async (node: FirewallNode, what: 'insert' | 'touch', flows: number): Promise<void> => {
  const argv = [process.execPath, programFile('fill'), what, String(flows), String(FILL_RATE)];
  await node.run(argv, { boundMs: 120_000 });
};

/** Entries in the node's kernel. */
export const kernelCount = async (node: FirewallNode): Promise<number> =>
  Number(await node.run(['conntrack', '-C']));

/** A client of the node's conntrackd. */
export const controlOf = (node: FirewallNode): Control =>
  new Control(node.machine.path('/run/conntrackd.sock'), { timeout: 60_000 });

export const statisticsOf = async (control: Control): Promise<Statistics> =>
  parseStatistics(await control.send('statistics'));

/** Waits until `count` says at least `flows`. False if it has stood still below that for a while. */
export const grows = async (count: () => Promise<number>, flows: number): Promise<boolean> => {
  let seen = await count();
  let since = performance.now();
  return until(
    `${flows} flows`,
    async () => {
      const now = await count();
      if (now > seen) {
        seen = now;
        since = performance.now();
      }
      return now >= flows ? 'there' : performance.now() - since > STILL_MS ? 'still' : now;
    },
    180_000,
    (state) => state === 'there' || state === 'still',
  ).then((state) => state === 'there');
};

const STILL_MS = 3000;
