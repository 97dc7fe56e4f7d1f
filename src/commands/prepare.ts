import { AgentFiles } from '../agent/files.ts';
import type { Group } from '../cluster/groups.ts';
import type { ClusterConfig } from '../config/types.ts';
import { fifoPath, UNREADY } from '../managers/keepalived/render.ts';
import { makeFifo } from '../system/fifo.ts';

/**
 * Makes what the manager must find when it starts; for keepalived its FIFO and the track files. Without them keepalived 2.2.7 goes on all
 * the same, tells nobody anything and takes this node for ready. What is there already stays as it is.
 */
export const prepareRun = async (config: ClusterConfig, groups: readonly Group[]): Promise<AgentFiles> => {
  const files = new AgentFiles(config.paths.run);
  files.prepare();
  if (config.manager === 'keepalived') {
    await makeFifo(fifoPath(config));
    for (const { name } of groups.filter((group) => !files.isReadyWritten(group.name))) {
      files.writeReady(name, UNREADY);
    }
  }
  files.writeAddresses(config.interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
  return files;
};
