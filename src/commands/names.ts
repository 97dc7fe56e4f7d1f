import { groupsOf } from '../cluster/groups.ts';
import { loadConfig } from '../config/load.ts';

/** `names`: what `takeover` and `--node` can name, one a line: the nodes, then the groups (those have an underscore). */
export const printNames = async (file: string): Promise<void> => {
  const config = await loadConfig(file);
  for (const { name } of [...config.nodes, ...groupsOf(config)]) {
    console.log(name);
  }
};
