import { readSysctl, writeSysctl } from '../system/sysctl.ts';
import { addAddress, addGroup, addWay, removeAddress, removeGroup, removeWay } from './links.ts';
import { isFound } from './missing.ts';
import { type DevicePart, isDeprecated, type Part, type SharedAddress } from './parts.ts';
import { seeParts } from './seen.ts';

/** Puts a part into the kernel, or mends it. Throws ProgramError, SysctlError, LinkListError. */
export const putPart = async (part: Part): Promise<void> => {
  switch (part.kind) {
    case 'setting':
      return writeSysctl(part.name, part.value);
    case 'group':
      return addGroup(part.device, part.mac);
    case 'address':
      return addAddress(part.device, part.address, {
        deprecated: isDeprecated(part),
        broadcast: part.broadcast,
      });
    case 'way':
      return addWay(part.device, part.network, part.source);
  }
};

/** Takes what is still there of `parts` out of the kernel, in the other order. Errors as of `putPart` and `seeParts`. */
export const takePresent = async (parts: readonly DevicePart[]): Promise<void> => {
  const seen = await seeParts(parts);
  const devices = seen.links.map(({ name }) => name);
  const there = parts.filter((part) =>
    part.kind === 'way' ? devices.includes(part.device) : isFound(part, seen),
  );
  for (const part of [...there].reverse()) await takePart(part);
};

/** Takes one out that is there. Errors as of `putPart`. */
export const takePart = async (part: DevicePart): Promise<void> => {
  switch (part.kind) {
    case 'group':
      return removeGroup(part.device, part.mac);
    case 'address':
      return takeAddress(part);
    case 'way':
      return removeWay(part.device, part.network);
  }
};

/**
 * With an interface's first address of a subnet go the later ones of the same subnet, unless they may take its place
 * (promote_secondaries in the kernel's ip-sysctl.rst): an administrator's address that came after one of ours has to stay.
 */
const takeAddress = async ({ device, address }: SharedAddress): Promise<void> => {
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
