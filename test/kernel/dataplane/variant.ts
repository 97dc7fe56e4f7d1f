import type { Machine } from '../../lab/rig/machine.ts';

/** Has a machine's `iptables`, and its kin, be iptables-legacy: all of them are links to one program. */
export const useLegacy = async (machine: Machine): Promise<void> => {
  const nft = '/usr/sbin/xtables-nft-multi';
  await machine.run(['mount', '--bind', '/usr/sbin/xtables-legacy-multi', nft]);
  const version = await machine.run(['iptables', '--version']);
  if (!version.includes('(legacy)')) throw new Error(`expected iptables-legacy, got ${version}`);
};
