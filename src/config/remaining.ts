import type { Remains } from './schema.ts';
import { isLinkLocal, type Subnet } from './subnet.ts';

/** An interface as far as the file is right about it. */
export type Interface = { readonly name: string } & NonNullable<Remains['interfaces']>[string];

export const interfacesOf = (config: Remains): readonly Interface[] =>
  Object.entries(config.interfaces ?? {}).map(([name, one]) => ({ name, ...one }));

/** The items that are right, with their index in the file. */
export const indexed = <Item extends Subnet | string>(
  items: readonly (Item | undefined)[] | undefined,
): readonly (readonly [Item, number])[] =>
  (items ?? []).flatMap((item, index): readonly (readonly [Item, number])[] =>
    item === undefined ? [] : [[item, index]],
  );

/** The items that are right. */
export const right = <Item>(items: readonly (Item | undefined)[] | undefined): readonly Item[] =>
  (items ?? []).filter((item) => item !== undefined);

/** Whether a list is there and nothing in it is wrong. */
export const isComplete = (items: readonly unknown[] | undefined): boolean =>
  items?.every((item) => item !== undefined) === true;

/** The subnets of the addresses, as they are in the file: without link-local ones, which say nothing of a network. */
export const subnetsOf = ({ addresses }: Pick<Interface, 'addresses'>): readonly Subnet[] =>
  right(addresses).filter(({ address }) => !isLinkLocal(address));

/** What is known to be behind an interface: `networks`, or else, inside, the subnets of the addresses. */
export const networksOf = (one: Interface): readonly Subnet[] => {
  if (one.networks !== undefined && one.networks.length > 0) {
    return right(one.networks);
  }
  return one.side === 'inside' ? subnetsOf(one) : [];
};
