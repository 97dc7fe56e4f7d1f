import type { ClusterConfig } from '../config/types.ts';
import { addressWord } from './address.ts';
import type { Flow } from './flow.ts';

const TCP = 6;
const UDP = 17;
const ICMP = 1;

/**
 * Which flows conntrackd replicates: the counterpart of the filter that `render conntrackd` writes. Flows of the
 * firewall itself (from or to one of its addresses) are its own affair: they are neither compared nor removed.
 *
 * @param local the node's own addresses, as words
 */
export const replicatedFlows = (
  config: ClusterConfig,
  local: readonly number[],
): ((flow: Flow) => boolean) => {
  const protocols = new Set([TCP, UDP, ...(hasSnat(config) ? [] : [ICMP])]);
  const firewalls = new Set([
    ...local,
    ...config.nodes.map((node) => addressWord(node.sync)),
    ...config.interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => addressWord(address))),
  ]);
  return ({ original, reply }) =>
    protocols.has(original.protocol) &&
    !firewalls.has(original.src) &&
    !firewalls.has(reply.src) &&
    (original.src & 255) !== 127;
};

/** Whether flows are translated anywhere. */
export const hasSnat = (config: ClusterConfig): boolean =>
  config.interfaces.some(({ snat }) => snat.length > 0);
