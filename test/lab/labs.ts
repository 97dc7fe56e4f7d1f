import { onTestFinished } from 'vitest';
import { Lab, type LabOptions } from './rig/lab.ts';

/** A lab for the running test: closed when that ends, and if it has failed, after showing what the programs printed. */
export const createLab = async (options: LabOptions): Promise<Lab> => {
  const lab = await Lab.create(options);
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') {
      console.error(await lab.logs());
    }
    await lab.close();
  });
  return lab;
};
