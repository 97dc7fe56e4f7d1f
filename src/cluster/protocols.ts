/** IP protocol numbers, as IANA assigns them. */
export const PROTOCOL_NUMBERS = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;

/** Whether it has no ports but an id, a type and a code. */
export const isIcmp = (protocol: number): boolean =>
  protocol === PROTOCOL_NUMBERS.icmp || protocol === PROTOCOL_NUMBERS.icmpv6;
