import type { Machine } from './machine.ts';

/** Seconds without a report after which a port is no member any more; the querier asks every second. */
const FORGET_S = 4;

/** Where the group stands in an IGMPv3 report (RFC 3376, 4.2) of up to four records without sources: bits. */
const RECORDS = [96, 160, 224, 288];

/**
 * Has a bridge do IGMP snooping as switches do: by MAC, so that frames to `mac` leave only by ports behind which somebody has
 * joined its group. Linux's own goes by the destination in the IP header, which here is no group's. Its querier serves; its
 * forwarding doesn't count, since every port is made a router's.
 */
export const snoop = async (bridge: Machine, mac: string): Promise<void> => {
  const query =
    'mcast_querier 1 mcast_igmp_version 3 mcast_query_interval 100 mcast_query_response_interval 50 mcast_startup_query_interval 100';
  await bridge.ip([`link set br0 type bridge mcast_snooping 1 ${query}`]);
  const group = `0xef${mac.slice(9).replaceAll(':', '')}`;
  const rules = `table bridge snooping {
    set members { typeof meta iifname; flags dynamic, timeout; timeout ${FORGET_S}s; }
    chain reports {
      type filter hook prerouting priority 0;
      ${RECORDS.map((at) => `ip protocol igmp @th,0,8 0x22 @th,${at},32 ${group} update @members { meta iifname }`).join('\n      ')}
    }
    chain members_only {
      type filter hook forward priority 0;
      ip protocol igmp @th,0,8 0x22 drop comment "for routers"
      ether daddr ${mac} meta oifname != @members counter drop
    }
  }`;
  await bridge.run(['nft', '-f', '-'], { input: rules });
};

/** A port that snooping leaves to the rules. */
export const leaveToRules = (port: string): string => `link set ${port} type bridge_slave mcast_router 2`;

/** As after a restart. */
export const forgetMembers = async (bridge: Machine): Promise<void> => {
  await bridge.run(['nft', 'flush', 'set', 'bridge', 'snooping', 'members']);
};
