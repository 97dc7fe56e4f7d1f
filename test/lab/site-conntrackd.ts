/**
 * conntrackd.conf of another cluster, with the control socket where ours is expected: active and passive, an external cache,
 * multicast.
 *
 * @param sync the node's address on the sync link
 */
export const siteConfiguration = (sync: string): string => `General {
  HashSize 32768
  HashLimit 131072
  LockFile /var/lock/conntrackd.lock
  UNIX { Path /var/run/conntrackd.sock }
}
Sync {
  Mode FTFW { }
  Multicast {
    IPv4_address 225.0.0.50
    Group 3780
    IPv4_interface ${sync}
    Interface eth3
  }
}
`;
