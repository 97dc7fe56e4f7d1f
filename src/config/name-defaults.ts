import { createHash } from 'node:crypto';
import type { InterfaceConfig } from './types.ts';

/**
 * What clusters beside each other must not have in common is by default derived from the cluster's name: two that were set up by the
 * same example differ as soon as their names do. Changing a draw changes the MACs and VRIDs of running clusters.
 */

/** The shared MAC of an interface: one that fits its delivery, another for each interface and for each cluster. */
export const macByName = (cluster: string, name: string, delivery: InterfaceConfig['delivery']): string => {
  const drawn = draw(`mac ${cluster} ${name}`);
  if (delivery === 'igmp') {
    // Of an IP group (RFC 1112, 6.4), but none whose frames have the MAC of a group 224.0.0.x.
    const group = 0x100 + (drawn.readUInt32BE() % (0x80_0000 - 0x100));
    return macOf(Buffer.of(0x01, 0x00, 0x5e, group >>> 16, (group >>> 8) & 0xff, group & 0xff));
  }
  // Locally administered (the second bit of the first byte), and multicast (the first) or not.
  return macOf(Buffer.of(delivery === 'stealth' ? 0x02 : 0x03, ...drawn.subarray(0, 5)));
};

/**
 * The VRID of the first group; there is room for the others up to 255. Two clusters with as many groups have either the same ones, or
 * none in common.
 */
export const vridByName = (cluster: string, groups: number): number => {
  const places = Math.max(1, Math.floor(LAST_VRID / groups));
  return 1 + groups * (draw(`vrid ${cluster}`).readUInt32BE() % places);
};

const LAST_VRID = 255;

const draw = (of: string): Buffer => createHash('sha256').update(of).digest();

const macOf = (bytes: Buffer): string => bytes.toString('hex').replace(/..(?!$)/g, '$&:');
