/** The name of our tables; there is one in each of FAMILIES. */
export const TABLE = 'conntrack_ha';

/** The name of the agent's table, of family inet, which is there while it runs. */
export const AGENT_TABLE = `${TABLE}_agent`;

/** Families of nftables that we have a table in. */
export const FAMILIES = ['netdev', 'inet'] as const;

/**
 * The set of the buckets that this node filters. An element is a bucket's number, 32 bits in host order; a packet of
 * a bucket that isn't in it is dropped.
 */
export const OWNED = { family: 'netdev', table: TABLE, name: 'owned' } as const;

/** Who speaks VRRP with our VRIDs: address, version and type and VRID, priority and number of addresses. */
export const VRRP = { family: 'inet', table: TABLE, name: 'vrrp_heard' } as const;

/** Addresses of those who send to the synchronisation's ports and are no peer. */
export const SENDERS = { family: 'inet', table: TABLE, name: 'other_senders' } as const;

/** The set of what neighbours on a leg say of themselves: the frame's MAC, and the address. */
export const heardOn = (label: string, family: 'ip' | 'ip6'): string => `heard_${label}_${family}`;

/** The counter of what has come in on a leg to its shared MAC and is sorted. */
export const arrivedOn = (label: string): string => `arrived_${label}`;

/** A rule sees only sets of its own table, so the other table has one with the same elements. Changed together. */
export const OWNED_SETS = [OWNED, { ...OWNED, family: 'inet' }] as const;

/** Ports of SNAT addresses that clients outside have sent to within the last second, where there is no flow. */
export const ASKED_PORTS = { family: 'inet', table: TABLE, name: 'asked_ports' } as const;
