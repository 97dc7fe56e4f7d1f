import type { ClusterConfig, PublishedService } from '../config/types.ts';
import { parseAddress, parseNetwork } from './address.ts';
import type { Endpoint, Hashing } from './flow.ts';
import { rankedLegs } from './legs.ts';
import { PROTOCOL_NUMBERS } from './protocols.ts';

/** What decides which bucket a flow of this cluster is in. */
export const hashingOf = (config: ClusterConfig): Hashing => ({
  seed: config.seed,
  buckets: config.buckets,
  legs: rankedLegs(config).map(({ networks }) => networks.map(parseNetwork)),
  published: config.publish.map(endpoint),
});

const endpoint = ({ protocol, to, toPorts }: PublishedService): Endpoint => ({
  protocol: PROTOCOL_NUMBERS[protocol],
  address: parseAddress(to),
  firstPort: toPorts.first,
  lastPort: toPorts.last,
});
