/** IP protocol numbers, as IANA assigns them. */
export const PROTOCOL_NUMBERS = { icmp: 1, tcp: 6, udp: 17 } as const;
