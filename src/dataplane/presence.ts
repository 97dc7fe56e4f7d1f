import { readSysctl, writeSysctl } from '../system/sysctl.ts';
import { groupOfMac } from './igmp.ts';
import { addAddress, addGroup, listGroups, listLinks, removeAddress, removeGroup } from './links.ts';
import type { Plan } from './plan.ts';
import type { LoadRecord } from './record.ts';

/**
 * What the data plane puts on interfaces: shared addresses (and with delivery igmp an IP group, which the kernel joins as
 * long as the address is there), and the groups that receive shared MACs.
 */
export type Presence = Pick<LoadRecord, 'addresses' | 'groups'>;

export const presenceOf = ({ legs }: Plan): Presence => ({
  addresses: legs.flatMap(({ device, mac, delivery, addresses }) =>
    [...(delivery === 'igmp' ? [groupOfMac(mac)] : []), ...addresses].map((address) => ({ device, address })),
  ),
  groups: legs.map(({ device, mac }) => ({ device, mac })),
});

/** What of `wanted` is on the interfaces now. Throws ProgramError, LinkListError. */
export const presentOf = async (wanted: Presence): Promise<Presence> => {
  const links = await listLinks();
  const there = new Set(links.map(({ name }) => name));
  const groups: Presence['groups'][number][] = [];
  for (const group of wanted.groups.filter(({ device }) => there.has(device))) {
    if ((await listGroups(group.device)).includes(group.mac)) groups.push(group);
  }
  const addresses = wanted.addresses.filter(({ device, address }) =>
    links.some(({ name, addresses: present }) => name === device && present.includes(address)),
  );
  return { addresses, groups };
};

/** `all` less what is in `some`. */
export const without = (all: Presence, some: Presence): Presence => ({
  addresses: all.addresses.filter(
    ({ device, address }) => !some.addresses.some((one) => one.device === device && one.address === address),
  ),
  groups: all.groups.filter(
    ({ device, mac }) => !some.groups.some((one) => one.device === device && one.mac === mac),
  ),
});

/** Adds what is missing: first the MACs, so that who learns an address reaches it. */
export const appear = async (wanted: Presence): Promise<void> => {
  const missing = without(wanted, await presentOf(wanted));
  for (const { device, mac } of missing.groups) await addGroup(device, mac);
  for (const { device, address } of missing.addresses) await addAddress(device, address);
};

/** Removes what is still there of `what`, in the other order. */
export const disappear = async (what: Presence): Promise<void> => {
  const present = await presentOf(what);
  for (const { device, address } of present.addresses) await removeOneAddress(device, address);
  for (const { device, mac } of present.groups) await removeGroup(device, mac);
};

/**
 * With an interface's first address of a subnet go the later ones of the same subnet, unless they may take its place
 * (promote_secondaries in the kernel's ip-sysctl.rst): an administrator's address that came after ours has to stay.
 */
const removeOneAddress = async (device: string, address: string): Promise<void> => {
  const setting = `net/ipv4/conf/${device}/promote_secondaries`;
  const before = await readSysctl(setting);
  if (before === undefined || before === '1') return removeAddress(device, address);
  await writeSysctl(setting, '1');
  try {
    await removeAddress(device, address);
  } finally {
    await writeSysctl(setting, before);
  }
};
