import { bucketsFor } from './check-firewall.ts';
import { aboutValue, type Complaint } from './complaint.ts';
import type { Remains } from './schema.ts';

/**
 * conntrackd's protocol for so many nodes. In FTFW mode it follows the sequence of one sender and drops what comes out of
 * it (conntrack-tools, src/network.c and src/sync-ftfw.c): with two senders, nearly everything.
 */
export const modeFor = (nodes: number): 'ftfw' | 'notrack' => (nodes > 2 ? 'notrack' : 'ftfw');

/** What depends on how many nodes there are: the protocol, and enough buckets for the groups. */
export const checkMode = (config: Remains): readonly Complaint[] => {
  const nodes = Object.keys(config.nodes ?? {}).length;
  return nodes < 2 ? [] : [...mode(config, nodes), ...buckets(config, nodes)];
};

const mode = ({ sync }: Remains, nodes: number): readonly Complaint[] => {
  const right = modeFor(nodes);
  if (sync?.mode === undefined || sync.mode === right) {
    return [];
  }
  const problem =
    right === 'notrack'
      ? `"ftfw" follows the sequence of one sender and drops what ${nodes - 1} peers send`
      : '"notrack" does not resend what gets lost, and only three nodes and more need it';
  return [aboutValue(['sync', 'mode'], problem, `use ${right}`)];
};

const buckets = ({ buckets, firewall = 'nftables' }: Remains, nodes: number): readonly Complaint[] => {
  const groups = nodes * (nodes - 1);
  const count = buckets ?? bucketsFor(firewall);
  return count >= groups
    ? []
    : [
        aboutValue(
          ['buckets'],
          `${count} leaves some of the ${groups} groups of ${nodes} nodes without a bucket`,
          `use at least ${2 ** Math.ceil(Math.log2(groups))}`,
        ),
      ];
};
