import type { Owner, Sent } from './bed.ts';
import type { Side } from './firewalls.ts';

/** All turns of one stream. */
export interface Series {
  readonly name: string;
  readonly kind: Sent['firewall']['kind'];
  readonly snat: boolean;
  readonly owner: Owner;
  readonly from: Side;
  /** Nanoseconds of processor time a packet; a value for each turn. */
  readonly each: readonly number[];
}

/** What one packet costs above being received and dropped, in nanoseconds: the minimum of all turns. */
export interface Cost {
  readonly inside: number;
  readonly outside: number;
  /** Of both directions. */
  readonly mean: number;
}

/** Of one way of filtering. */
export interface Costs {
  readonly name: string;
  readonly snat: boolean;
  readonly own: Cost;
  /** Undefined for a firewall alone. */
  readonly foreign: Cost | undefined;
}

/** @param pick which turns count */
export const costsOf = (
  all: readonly Series[],
  pick: (turn: number) => boolean = () => true,
): readonly Costs[] => {
  const least = (series: readonly Series[], from: Side): number => {
    const turns = series.filter((one) => one.from === from).flatMap(({ each }) => each);
    return Math.min(...turns.filter((_, turn) => pick(turn)));
  };
  const receiving = all.filter(({ kind }) => kind === 'receiver');
  const cost = (series: readonly Series[]): Cost => {
    const inside = least(series, 'inside') - least(receiving, 'inside');
    const outside = least(series, 'outside') - least(receiving, 'outside');
    return { inside, outside, mean: (inside + outside) / 2 };
  };
  const filtering = all.filter(
    ({ kind, owner, from }) => kind !== 'receiver' && owner === 'own' && from === 'inside',
  );
  return filtering.map(({ name, snat, kind }) => {
    const its = all.filter((one) => one.name === name && one.snat === snat);
    return {
      name,
      snat,
      own: cost(its.filter(({ owner }) => owner === 'own')),
      foreign: kind === 'node' ? cost(its.filter(({ owner }) => owner === 'foreign')) : undefined,
    };
  });
};

/** Of both directions, with the same translation. @throws RangeError if no firewall alone was measured */
export const singleOf = (all: readonly Costs[], { snat }: Costs): number => {
  const alone = all.find((one) => one.foreign === undefined && one.snat === snat);
  if (alone === undefined) {
    throw new RangeError('no firewall alone was measured');
  }
  return alone.own.mean;
};

/**
 * How many times as many packets `nodes` nodes carry as one firewall alone, if each has a whole machine and is busy with
 * nothing else: of the time in which a node filters one packet of its own, the packets of the others take their part.
 */
export const speedUp = (nodes: number, single: number, { own, foreign }: Costs): number =>
  (nodes * single) / (own.mean + (nodes - 1) * (foreign?.mean ?? 0));
