import type { ClusterConfig } from '../config/types.ts';
import type { Snapshot } from './snapshot.ts';

/** The bounds that decisions look at, in milliseconds. */
export const timeoutsOf = ({
  timeouts: { peer, disagree, holddown },
  keepalived,
  pacemaker,
}: Pick<ClusterConfig, 'timeouts' | 'keepalived' | 'pacemaker'>): Snapshot['timeouts'] => ({
  peer,
  disagree,
  holddown,
  // Three advertisements and a skew of at most one (RFC 5798, section 6.1: Master_Down_Interval).
  elect: 4 * keepalived.advert * 1000,
  linger: pacemaker.linger,
});
