import type { FirewallNode } from './node.ts';
import { SEED, SHARED, SHARED_MAC } from './plan.ts';

/** Four buckets; each translates into a quarter of the ports. */
const QUARTERS = ['1024-17151', '17152-33279', '33280-49407', '49408-65535'];

export interface HandRules {
  readonly owned: readonly number[];
  readonly snat: boolean;
}

/**
 * A data plane written by hand, for testing the rig without the product: four buckets, of which the node owns some.
 * Loaded by `nft -f -`.
 */
const handRules = ({ owned, snat }: HandRules): string => {
  const ports = QUARTERS.map((range, bucket) => `${range} : ${bucket}`).join(', ');
  const translations = QUARTERS.map((range, bucket) => `${bucket} : ${SHARED.outside} . ${range}`).join(', ');
  const hash = (field: string) => `jhash ${field} mod 4 seed 0x${SEED.toString(16)}`;
  return `
table netdev hand {
  set owned {
    type mark
    ${owned.length > 0 ? `elements = { ${owned.join(', ')} }` : ''}
  }
  map quarters {
    type inet_service : mark
    flags interval
    elements = { ${ports} }
  }
  chain inside {
    type filter hook ingress device eth1 priority -500
    ether daddr != ${SHARED_MAC.inside} accept
    ether type != ip accept
    meta mark set ${hash('ip saddr')}
    meta mark != @owned drop
    meta pkttype set host meta mark set 0
  }
  chain outside {
    type filter hook ingress device eth2 priority -500
    ether daddr != ${SHARED_MAC.outside} accept
    ether type != ip accept
    ip daddr != ${SHARED.outside} meta mark set ${hash('ip daddr')}
    ip daddr ${SHARED.outside} meta l4proto { tcp, udp } meta mark set th dport map @quarters
    ip daddr ${SHARED.outside} icmp type echo-reply meta mark set @th,32,16 map { ${ports} }
    meta mark != @owned drop
    meta pkttype set host meta mark set 0
  }
}
table arp hand {
  chain out {
    type filter hook output priority 0
    oifname "eth1" arp saddr ether set ${SHARED_MAC.inside}
    oifname "eth2" arp saddr ether set ${SHARED_MAC.outside}
  }
}
table ip hand {
  chain forwarding {
    type filter hook forward priority 0
    ct state invalid drop
  }
${
  snat
    ? `  chain translate {
    type nat hook postrouting priority srcnat
    oifname "eth2" meta l4proto { tcp, udp } snat ip to ${hash('ct original ip saddr')} map { ${translations} }
    oifname "eth2" meta l4proto icmp snat ip to ${hash('ct original ip saddr')} map { ${translations} }
  }`
    : ''
}
}
`;
};

/** Makes a node that is on forward by hand: shared addresses, link-layer groups, and the rules. */
export const setUpByHand = async (node: FirewallNode, rules: HandRules): Promise<void> => {
  for (const side of ['inside', 'outside'] as const) {
    const { device } = node.plan.links[side];
    await node.run(['ip', 'addr', 'add', `${SHARED[side]}/${SHARED.prefix}`, 'dev', device]);
    // Not in a batch: ip(8) exits after its first `maddr add`.
    await node.run(['ip', 'maddr', 'add', SHARED_MAC[side], 'dev', device]);
  }
  await node.run(['nft', '-f', '-'], { input: handRules(rules) });
};
