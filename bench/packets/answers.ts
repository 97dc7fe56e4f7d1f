import { portRange } from '../../src/cluster/ranges.ts';
import { SHARED } from '../../test/kernel/dataplane/cluster-config.ts';
import type { Machine } from '../../test/lab/rig/machine.ts';
import { BUCKETS, bucketOf, type Tuple } from './family.ts';

/** What answers to conntrack's flows look like: the second tuple of each. */
export const answersOf = async (machine: Machine): Promise<readonly Tuple[]> => {
  const lines = (await machine.run(['conntrack', '-L', '-p', 'udp'])).split('\n');
  return lines.flatMap((line) => {
    const [, answer] = [...line.matchAll(/src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)/g)];
    const [, from, to, fromPort, toPort] = answer ?? [];
    return from === undefined || to === undefined
      ? []
      : [{ from, to, fromPort: Number(fromPort), toPort: Number(toPort) }];
  });
};

/** An answer to a flow that the other node has translated: into a port of the bucket's. */
export const translatedAnswer = (flow: Tuple, index: number): Tuple => {
  const { first, last } = portRange(bucketOf(flow.from), BUCKETS);
  return {
    from: flow.to,
    to: SHARED.outside,
    fromPort: flow.toPort,
    toPort: first + (index % (last - first + 1)),
  };
};
