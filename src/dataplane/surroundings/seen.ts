import { type Address, inNetworks, parseNetwork } from '../../cluster/address.ts';
import type { Link, LocalAddress } from '../../kernel/links.ts';
import type { Route } from '../../kernel/routes.ts';
import type { LegNeeds } from './needs.ts';
import { deviceSetting } from './setting.ts';

/** What was found on this machine, at one look. */
export interface Seen {
  readonly links: readonly Link[];
  readonly addresses: readonly LocalAddress[];
  /** Values of settings by their names, as `deviceSetting` has them; one that the kernel doesn't have isn't there. */
  readonly settings: ReadonlyMap<string, string>;
  /** Routes to a host of each prefix, by the prefix; one that wasn't asked for isn't there. */
  readonly routes: ReadonlyMap<string, Route>;
}

export const linkOf = ({ links }: Pick<Seen, 'links'>, device: string): Link | undefined =>
  links.find(({ name }) => name === device);

/** While it is missing or down its addresses and routes say nothing, and that it is has been said already. */
export const isUp = (seen: Pick<Seen, 'links'>, device: string): boolean => linkOf(seen, device)?.up === true;

/** Whether IPv6 has been switched off there: its addresses and routes are gone with it. */
export const isWithoutIpv6 = ({ settings }: Pick<Seen, 'settings'>, { device }: LegNeeds): boolean =>
  settings.get(ipv6Switch(device)) === '1';

export const ipv6Switch = (device: string): string => deviceSetting(6, device, 'disable_ipv6');

/** Whether the address's subnet, as it stands at the interface, has the other one in it. */
export const holds = ({ address, prefix }: LocalAddress, other: Address): boolean =>
  inNetworks(other, [parseNetwork(`${address}/${prefix}`)]);
