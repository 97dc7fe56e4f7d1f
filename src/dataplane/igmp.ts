/**
 * The IPv4 group, with prefix, whose frames have this MAC (01:00:5e and the group's last 23 bits; RFC 1112, 6.4), of the 32
 * there are the one in 239.0.0.0/8, which is for a site's own use (RFC 2365).
 */
export const groupOfMac = (mac: string): string => {
  const [second = 0, third = 0, fourth = 0] = mac
    .split(':')
    .slice(3)
    .map((byte) => Number.parseInt(byte, 16));
  return `239.${second & 0x7f}.${third}.${fourth}/32`;
};
