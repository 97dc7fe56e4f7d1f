import { TAKEN } from '../others.ts';
import type { CoreSide } from '../rig/plan.ts';
import { isWhole, type NodeCondition } from './condition.ts';
import { ALL_NODES, type ChangeEvent, type LegSide } from './event.ts';
import type { Random } from './random.ts';

export interface ChangeChoice {
  readonly event: ChangeEvent;
  readonly weight: number;
}

/**
 * What others may change under a node of so many. It is the agent that mends, so there must be one; what a leg that is deaf has besides
 * is another matter. An interface without a carrier
 * would have one again when it is remade. Where there are more than two nodes conntrackd speaks by multicast, and has to be restarted
 * when its interface was made again; `status` says so.
 */
export const changesFor = (node: NodeCondition, nodes: number, random: Random): readonly ChangeChoice[] => {
  const { name } = node;
  if (!node.agent || node.deaf.length > 0) return [];
  const sides = SIDES.filter((side) => !node.cut.includes(side));
  const remade = (side: CoreSide): number => (side === 'sync' && nodes > 2 ? 0 : 1);
  return [
    ...sides.flatMap((side): readonly ChangeChoice[] => [
      {
        event: { kind: `remake ${side}`, node: name, side, gone: random.between(0, 300) },
        weight: remade(side),
      },
      { event: { kind: `bounce ${side}`, node: name, side, gone: momentOf(random) }, weight: 1 },
      { event: { kind: `rename ${side}`, node: name, side, gone: random.between(0, 1000) }, weight: 0.5 },
    ]),
    ...LEG_SIDES.map((side): ChangeChoice => {
      const mac = `02:00:00:77:${hex(random.between(0, 255))}:${hex(random.between(0, 255))}`;
      return { event: { kind: `change MAC ${side}`, node: name, side, mac }, weight: 0.5 };
    }),
    { event: { kind: 'take away', node: name, what: takenOf(random) }, weight: 3 },
    { event: { kind: 'flush rules', node: name }, weight: 1 },
    // Another cluster's, of the same example.
    { event: { kind: 'foreign VRRP', node: name }, weight: node.cut.includes('inside') ? 0 : 1 },
    ...(node.conntrackd
      ? [
          { event: { kind: 'restart conntrackd', node: name }, weight: 1 } as const,
          { event: { kind: 'reset timers', node: name }, weight: 1 } as const,
        ]
      : []),
  ];
};

/** What happens to all nodes at once leaves none that could serve for a moment, so each must hold the states of the others. */
export const changesForAll = (nodes: readonly NodeCondition[], random: Random): readonly ChangeChoice[] =>
  nodes.every(isWhole)
    ? SIDES.map((side) => ({
        event: { kind: `bounce all ${side}`, node: ALL_NODES, side, gone: momentOf(random) },
        weight: 3,
      }))
    : [];

const SIDES: readonly CoreSide[] = ['inside', 'outside', 'sync'];
/** Nobody asks for the sync address anew before a neighbour's entry of it is old. */
const LEG_SIDES: readonly LegSide[] = ['inside', 'outside'];

/** Too short to be seen by who looks ten times a second, or a second. */
const momentOf = (random: Random): number => (random.next() < 0.5 ? random.between(0, 30) : 1000);

const takenOf = (random: Random): string => random.pick(TAKEN.map(({ what }) => ({ what, weight: 1 }))).what;

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
