import type { LocalAddress } from '../../kernel/links.ts';
import { judgeForwarding } from './forwarding.ts';
import { type Finding, isFinding, type Judgement } from './judgement.ts';
import type { Needs } from './needs.ts';
import { judgeOwnAddresses, ownOnLegs } from './own-addresses.ts';
import { judgeRoutes } from './routes.ts';
import type { Seen } from './seen.ts';
import { judgeSyncLink } from './sync-link.ts';

/**
 * What the cluster needs of this machine and doesn't own: all of it that can be judged, well or not.
 *
 * @param needs of `needsOf`
 * @param earlier own addresses that there were in an earlier look
 */
export const judgeSurroundings = (
  needs: Needs,
  seen: Seen,
  earlier: readonly LocalAddress[] = [],
): readonly Judgement[] => [
  ...judgeForwarding(needs.legs, seen),
  ...judgeSyncLink(needs, seen),
  ...judgeOwnAddresses(needs.legs, seen, ownOnLegs(needs, seen.addresses), earlier),
  ...judgeRoutes(needs.legs, seen),
];

/** What of it is missing. */
export const findingsOf = (judgements: readonly Judgement[]): readonly Finding[] =>
  judgements.filter(isFinding);
