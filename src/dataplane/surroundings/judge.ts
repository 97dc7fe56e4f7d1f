import type { ClusterConfig, NodeConfig } from '../../config/types.ts';
import type { LocalAddress } from '../../kernel/links.ts';
import { judgeForwarding } from './forwarding.ts';
import { type Finding, isFinding, type Judgement } from './judgement.ts';
import { legsOf, sharedAddresses } from './needs.ts';
import { judgeOwnAddresses, ownOnLegs } from './own-addresses.ts';
import { judgeRoutes } from './routes.ts';
import type { Seen } from './seen.ts';
import { judgeSyncLink } from './sync-link.ts';

/**
 * What the cluster needs of this machine and doesn't own: all of it that can be judged, well or not.
 *
 * @param earlier own addresses that there were in an earlier look
 */
export const judgeSurroundings = (
  config: ClusterConfig,
  node: NodeConfig,
  seen: Seen,
  earlier: readonly LocalAddress[] = [],
): readonly Judgement[] => {
  const legs = legsOf(config, node);
  const own = ownOnLegs(legs, seen.addresses, sharedAddresses(config));
  return [
    ...judgeForwarding(legs, seen),
    ...judgeSyncLink(config, node, seen),
    ...judgeOwnAddresses(legs, seen, own, earlier),
    ...judgeRoutes(legs, seen),
  ];
};

/** What of it is missing. */
export const findingsOf = (judgements: readonly Judgement[]): readonly Finding[] =>
  judgements.filter(isFinding);
