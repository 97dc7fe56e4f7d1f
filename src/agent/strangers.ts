import type { Warning } from '../cluster/warning.ts';
import type { Heard, HeardNeighbour, HeardRouter } from '../dataplane/heard.ts';
import type { Claim } from '../peers/link.ts';
import type { Circle } from './circle.ts';
import {
  claimWarning,
  neighbourWarning,
  routerWarning,
  type Scene,
  senderWarning,
} from './stranger-warnings.ts';

/** Somebody who isn't of this cluster, as one look has found him. */
export interface Stranger {
  readonly warning: Warning;
  /** What is said when he has gone. */
  readonly again: string;
  /** Whether it can't but be somebody else, and no peer that hasn't told of itself yet. */
  readonly sure: boolean;
  /** Whether one of them has told meanwhile that it was he. */
  readonly wasOurs: () => boolean;
}

/** What was heard over the agents' channel, by the address that it came from. */
export type Claims = ReadonlyMap<string, Claim>;

/** Who of those that were heard isn't of this cluster. @param now milliseconds, as the circle was told */
export const judgeStrangers = (
  heard: Heard,
  claims: Claims,
  circle: Circle,
  scene: Scene,
  now: number,
): readonly Stranger[] => [
  ...routers(heard.vrrp, circle, scene),
  ...neighbours(heard.neighbours, circle, scene, now),
  ...[...claims].map(([address, claim]) => certainly(claimWarning(address, claim, scene))),
  ...heard.senders
    .filter((address) => !claims.has(address))
    .map((address) => certainly(senderWarning(address, scene))),
];

/** One for each address that speaks. */
const routers = (heard: readonly HeardRouter[], circle: Circle, scene: Scene): readonly Stranger[] => {
  const unknown = groupedBy(
    heard.filter(({ source }) => !circle.knowsAddress(source)),
    ({ source }) => source,
  );
  const doubt = circle.doubtOfAddresses(unknown.size);
  if (doubt.kind === 'peers') return [];
  return [...unknown].map(([source, said]) => ({
    ...routerWarning(source, said, doubt.unless, scene),
    sure: doubt.kind === 'sure',
    wasOurs: () => circle.knowsAddress(source),
  }));
};

/** One for each MAC on an interface, and what it claims: our addresses, or our MAC for others. */
const neighbours = (
  heard: readonly HeardNeighbour[],
  circle: Circle,
  scene: Scene,
  now: number,
): readonly Stranger[] => {
  const unknown = heard.filter(({ mac }) => !circle.knowsMac(mac));
  // A node has a MAC on each interface.
  const most = Math.max(...[...groupedBy(unknown, ({ device }) => device).values()].map(macs), 0);
  const doubt = circle.doubtOfMacs(most, now);
  if (doubt.kind === 'peers') return [];
  const claims = groupedBy(unknown, ({ mac, device, address }) =>
    [mac, device, scene.shared.has(address)].join(' '),
  );
  return [...claims.values()].map((said) => ({
    ...neighbourWarning(said, doubt.unless, scene),
    sure: doubt.kind === 'sure',
    wasOurs: () => said.every(({ mac }) => circle.knowsMac(mac)),
  }));
};

const macs = (said: readonly HeardNeighbour[]): number => new Set(said.map(({ mac }) => mac)).size;

const certainly = (stranger: Pick<Stranger, 'warning' | 'again'>): Stranger => ({
  ...stranger,
  sure: true,
  wasOurs: () => false,
});

const groupedBy = <Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): ReadonlyMap<string, readonly Item[]> => {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
};
