import type { Agent } from '../agent/agent.ts';
import type { AgentFiles } from '../agent/files.ts';
import type { ClusterConfig } from '../config/types.ts';
import type { Logger } from '../system/log.ts';
import { listenToKeepalived } from './listen-keepalived.ts';
import { listenToPacemaker } from './listen-pacemaker.ts';

type Listen = (
  config: ClusterConfig,
  files: AgentFiles,
  agent: Agent,
  log: Logger,
) => { readonly close: () => void };

const LISTEN: Readonly<Record<ClusterConfig['manager'], Listen>> = {
  keepalived: listenToKeepalived,
  pacemaker: listenToPacemaker,
  none: () => ({ close: () => {} }),
};

/** Hears the manager, if there is one, until closed. */
export const listen: Listen = (config, files, agent, log) =>
  LISTEN[config.manager](config, files, agent, log);
