import type { CoreSide } from '../rig/plan.ts';
import type { CampaignEvent, LegSide } from './event.ts';

/** What is well with one node and what isn't: as the events have made it. */
export interface NodeCondition {
  readonly name: string;
  readonly on: boolean;
  readonly frozen: boolean;
  readonly agent: boolean;
  readonly conntrackd: boolean;
  readonly keepalived: boolean;
  readonly drained: boolean;
  /** Links without a carrier. */
  readonly cut: readonly CoreSide[];
  /** Links on which it gets no frame to the shared MAC. */
  readonly deaf: readonly LegSide[];
  /** Whether its connection table is full of others' entries. */
  readonly full: boolean;
}

export const allWell = (name: string): NodeCondition => ({
  name,
  on: true,
  frozen: false,
  agent: true,
  conntrackd: true,
  keepalived: true,
  drained: false,
  cut: [],
  deaf: [],
  full: false,
});

/** Whether packets reach it and leave it: then what its kernel owns counts. */
export const isConnected = ({ on, frozen, cut, deaf }: NodeCondition): boolean =>
  on && !frozen && deaf.length === 0 && !cut.includes('inside') && !cut.includes('outside');

/** Whether it can take anything over. */
export const isFit = (node: NodeCondition): boolean => isConnected(node) && node.agent && node.keepalived;

/** Whether it also hears of the flows of the others. */
export const isWhole = (node: NodeCondition): boolean =>
  isFit(node) && node.conntrackd && !node.full && !node.cut.includes('sync');

/** Whether nothing at all is wrong with it. */
export const isWell = (node: NodeCondition): boolean => isWhole(node) && !node.drained;

/** What the node is like after the event, which is about it. */
export const afterwards = (node: NodeCondition, event: CampaignEvent): NodeCondition => {
  switch (event.kind) {
    case 'power cut':
      return { ...allWell(node.name), on: false, cut: [] };
    case 'boot':
      return allWell(node.name);
    case 'freeze':
      return { ...node, frozen: true };
    case 'thaw':
      return { ...node, frozen: false };
    case 'cut inside':
    case 'cut outside':
    case 'cut sync':
      return { ...node, cut: [...node.cut, event.side] };
    case 'heal inside':
    case 'heal outside':
    case 'heal sync':
      return { ...node, cut: node.cut.filter((side) => side !== event.side) };
    case 'withhold inside':
    case 'withhold outside':
      return { ...node, deaf: [...node.deaf, event.side] };
    case 'deliver inside':
    case 'deliver outside':
      return { ...node, deaf: node.deaf.filter((side) => side !== event.side) };
    case 'fill table':
      return { ...node, full: true };
    case 'empty table':
      return { ...node, full: false };
    case 'kill agent':
      return { ...node, agent: false };
    case 'start agent':
      return { ...node, agent: true };
    case 'kill conntrackd':
      return { ...node, conntrackd: false };
    case 'start conntrackd':
      return { ...node, conntrackd: true };
    case 'kill keepalived':
    case 'stop keepalived':
      return { ...node, keepalived: false };
    case 'start keepalived':
      return { ...node, keepalived: true };
    case 'drain':
      return { ...node, drained: true };
    case 'resume':
      return { ...node, drained: false };
    // The others are over as soon as they have happened.
    default:
      return node;
  }
};
