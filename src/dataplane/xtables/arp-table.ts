import { gratuitousArp } from '../nftables/neighbours.ts';
import { LEG_FRAMES } from '../nftables/verdicts.ts';
import { type Plan, presentLegs } from '../plan.ts';

/** nft's table for what iptables doesn't see. */
export const ARP_TABLE = 'conntrack_ha_arp';

/**
 * The file for `nft -f` that has whoever asks for a shared address learn the shared MAC. By nft on egress and not by arptables:
 * that doesn't see what programs (arping, keepalived) send through packet sockets, and would give the shared MAC to the
 * node's own addresses too.
 */
export const arpTable = (plan: Plan): string =>
  [
    arpRemoval,
    `table netdev ${ARP_TABLE} {`,
    ...presentLegs(plan).flatMap(({ label, device, mac }) => [
      `  chain announce_${label} {`,
      `    type filter hook egress device "${device}" priority 0; policy accept;`,
      `    arp saddr ip { ${plan.shared.ip.join(', ')} } arp saddr ether set ${mac}`,
      '  }',
      `  chain ${label} {`,
      `    type filter hook ingress device "${device}" priority -500; policy accept;`,
      // Its kernel would log it, with log_martians: the address is this node's too.
      `    meta pkttype broadcast ${gratuitousArp(`{ ${plan.shared.ip.join(', ')} }`, mac)} counter drop comment "announced by another node"`,
      `    ether daddr != ${mac} accept`,
      '    ether type { 8021q, 8021ad } @ll,112,16 & 0x0fff != 0 accept',
      '    meta protocol ip accept',
      // Taken for sent to this node, an answer confirms the neighbour; arp_process() in net/ipv4/arp.c.
      '    meta protocol arp meta pkttype set host accept',
      `    ${LEG_FRAMES}`,
      '    counter drop comment "neither ARP nor IPv4, to a shared MAC"',
      '  }',
    ]),
    '}',
    '',
  ].join('\n');

/** The file that removes it, whether it is there or not. */
export const arpRemoval = `table netdev ${ARP_TABLE} {}\ndelete table netdev ${ARP_TABLE}\n`;
