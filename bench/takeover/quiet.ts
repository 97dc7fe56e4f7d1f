import { Lab } from '../../test/lab/rig/lab.ts';
import { until } from '../../test/lab/rig/wait.ts';

/**
 * Waits until the kernel has done away with the tables of machines that are gone: it does that in the background, one
 * namespace after the other, and half a million flows take it seconds. So a machine that goes now is the last.
 */
export const untilQuiet = async (): Promise<void> => {
  const lab = await Lab.create({ nodes: 1, clients: 1 });
  try {
    const node = lab.node(1);
    await node.boot();
    await node.machine.kill();
    await until('the end of earlier machines', async () => !(await lab.counters()).has(node.name), 120_000);
  } finally {
    await lab.close();
  }
};
