import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { checkFilter } from './check-filter.ts';
import { checkGeneral } from './check-general.ts';
import { checkSync } from './check-sync.ts';
import { find } from './directive.ts';
import type { Finding } from './finding.ts';
import { parseConfiguration } from './syntax.ts';

/**
 * What in an administrator's conntrackd.conf loses flows with the cluster's `replicas`, in the order of the lines. Empty for
 * what `renderConntrackd` prints. Never throws for any text.
 *
 * @param own the node's own addresses
 */
export const checkConfiguration = (
  text: string,
  config: ClusterConfig,
  node: NodeConfig,
  own: readonly string[] = [],
): readonly Finding[] => {
  const { statements, problems } = parseConfiguration(text);
  const sync = find(statements, 'Sync');
  const general = find(statements, 'General');
  const findings = [
    ...problems.map(({ line, problem }) => ({
      line,
      what: problem,
      why: 'conntrackd does not start with it',
      mend: 'correct it; conntrackd.conf(5) has the syntax',
    })),
    ...checkSync(sync, config, node),
    ...checkGeneral(general, config),
    ...checkFilter(general && find(general.block ?? [], 'Filter'), general, config, own),
  ];
  return findings.sort((one, other) => one.line - other.line);
};
