import type { Family } from '../../cluster/address.ts';

/** A setting of an interface, as sysctl(8) takes it: with slashes where the interface has a dot in its name. */
export const deviceSetting = (family: Family, device: string, name: string): string =>
  ['net', `ipv${family}`, 'conf', device, name].join(device.includes('.') ? '/' : '.');

/** The command that sets it, quoted, until the next boot. */
export const setting = (name: string, value: number): string => `"sysctl -w ${name}=${value}"`;
