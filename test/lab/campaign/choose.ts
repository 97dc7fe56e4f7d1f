import type { CoreSide } from '../rig/plan.ts';
import { changesFor, changesForAll } from './changes.ts';
import { isConnected, isFit, isWell, isWhole, type NodeCondition } from './condition.ts';
import type { CampaignEvent, EventKind, Step } from './event.ts';
import type { Random } from './random.ts';

/** So many nodes may be unwell at a time, of so many: always one less than there are. */
const unwellAtMost = (nodes: number): number => nodes - 1;

/**
 * The next event of a campaign: something that can happen to a node in its condition, and that leaves one node that is whole,
 * so that what was replicated always has somebody who can serve it.
 */
export const chooseStep = (nodes: readonly NodeCondition[], random: Random): Step => {
  const choices = [
    ...nodes.flatMap((node) => choicesFor(nodes, node, random)),
    ...changesForAll(nodes, random),
  ];
  const { event } = random.pick(choices);
  const unsettled = random.next() < 0.25;
  return { event, after: unsettled ? random.between(0, 1500) : random.between(0, 500), unsettled };
};

/** What makes everything well again, in the order in which it is done. */
export const mending = (node: NodeCondition): readonly CampaignEvent[] => {
  const { name } = node;
  if (!node.on) {
    return [{ kind: 'boot', node: name }];
  }
  return [
    ...(node.frozen ? [{ kind: 'thaw', node: name } as const] : []),
    ...node.cut.map((side): CampaignEvent => ({ kind: `heal ${side}`, node: name, side })),
    ...node.deaf.map((side): CampaignEvent => ({ kind: `deliver ${side}`, node: name, side })),
    ...(node.full ? [{ kind: 'empty table', node: name } as const] : []),
    ...(node.conntrackd ? [] : [{ kind: 'start conntrackd', node: name } as const]),
    ...(node.agent ? [] : [{ kind: 'start agent', node: name } as const]),
    ...(node.keepalived ? [] : [{ kind: 'start keepalived', node: name } as const]),
    ...(node.drained ? [{ kind: 'resume', node: name } as const] : []),
  ];
};

interface Choice {
  readonly event: CampaignEvent;
  readonly weight: number;
}

const choicesFor = (
  nodes: readonly NodeCondition[],
  node: NodeCondition,
  random: Random,
): readonly Choice[] => [
  ...mending(node)
    .filter(({ kind }) => isPossible(node, kind))
    .map((event) => ({ event, weight: MENDING_WEIGHT })),
  ...(mayBreak(nodes, node)
    ? breaking(node)
        .map((event): Choice => ({ event, weight: WEIGHTS[event.kind] ?? 1 }))
        .concat(changesFor(node, nodes.length, random))
        .filter(({ event: { kind } }) => leavesVoice(node, kind) && leavesHeartbeat(nodes, node, kind))
    : []),
];

/**
 * Whether somebody stays who gives up what the node owns: with both killed only the service manager and the lease would be left
 * (docs/guarantees.md). A keepalived that is stopped sees to it.
 */
const leavesVoice = (node: NodeCondition, kind: EventKind): boolean =>
  (kind !== 'kill keepalived' || node.agent) && (kind !== 'kill agent' || node.keepalived);

/**
 * Whether one of the two heartbeats, VRRP and the sync link, goes on or comes back before nodes meet again: when both are cut,
 * both sides serve, and new translated connections are reset (docs/split-brain.md). A node without keepalived has no VRRP.
 */
const leavesHeartbeat = (nodes: readonly NodeCondition[], node: NodeCondition, kind: EventKind): boolean => {
  const cut = (side: CoreSide): boolean => nodes.some((each) => each.cut.includes(side));
  switch (kind) {
    // What has begun since it was cut off, or without its conntrackd, nobody else holds.
    case 'power cut':
      return !node.cut.includes('sync') && node.conntrackd;
    case 'freeze':
    case 'cut inside':
    case 'cut outside':
    case 'remake inside':
    case 'remake outside':
    case 'bounce inside':
    case 'bounce outside':
    case 'rename inside':
    case 'rename outside':
    case 'change MAC inside':
    case 'change MAC outside':
    case 'take away':
    case 'flush rules':
      return !cut('sync') && node.conntrackd;
    // That it is deaf it knows by what its peers tell.
    case 'withhold inside':
    case 'withhold outside':
      return nodes.every(isWhole);
    case 'kill keepalived':
    case 'stop keepalived':
    case 'flap':
      return !cut('sync');
    case 'cut sync':
    case 'remake sync':
    case 'bounce sync':
    case 'rename sync':
      return (
        !cut('inside') &&
        !cut('outside') &&
        nodes.every(({ frozen, keepalived, deaf }) => !frozen && keepalived && deaf.length === 0)
      );
    default:
      return true;
  }
};

/** Of what mends it: a frozen node can only be thawed, and an agent must be there to hear an order. */
const isPossible = (node: NodeCondition, kind: EventKind): boolean =>
  node.frozen ? kind === 'thaw' : kind !== 'resume' || node.agent;

/** Without it another must be whole; and one that has been drained doesn't count as one to rely on. */
const mayBreak = (nodes: readonly NodeCondition[], node: NodeCondition): boolean => {
  const others = nodes.filter((other) => other !== node);
  const unwell = others.filter((other) => !isWell(other)).length;
  return node.on && !node.frozen && others.some(isWhole) && unwell < unwellAtMost(nodes.length);
};

const MENDING_WEIGHT = 4;
const WEIGHTS: Partial<Readonly<Record<EventKind, number>>> = { 'power cut': 4, freeze: 2, drain: 2 };

/** Events that make a node that runs worse. */
const breaking = (node: NodeCondition): readonly CampaignEvent[] => {
  const { name } = node;
  const sides = (['inside', 'outside', 'sync'] as const).filter((side) => !node.cut.includes(side));
  if (node.deaf.length > 0) return [{ kind: 'power cut', node: name }];
  return [
    { kind: 'power cut', node: name },
    { kind: 'withhold inside', node: name, side: 'inside' },
    { kind: 'withhold outside', node: name, side: 'outside' },
    ...(node.full ? [] : [{ kind: 'fill table', node: name } as const]),
    { kind: 'freeze', node: name },
    ...sides.map((side): CampaignEvent => ({ kind: `cut ${side}`, node: name, side })),
    ...(node.agent ? [{ kind: 'kill agent', node: name } as const] : []),
    ...(node.agent && !node.drained ? [{ kind: 'drain', node: name } as const] : []),
    ...(node.conntrackd ? [{ kind: 'kill conntrackd', node: name } as const] : []),
    ...(node.keepalived
      ? [
          { kind: 'kill keepalived', node: name } as const,
          { kind: 'stop keepalived', node: name } as const,
          { kind: 'reload keepalived', node: name } as const,
        ]
      : []),
    ...(isFit(node) && isConnected(node) ? [{ kind: 'flap', node: name } as const] : []),
  ];
};
