import type { CoreSide } from '../rig/plan.ts';

/** Something that happens to one node. */
export type CampaignEvent =
  | { readonly kind: PlainKind; readonly node: string }
  | { readonly kind: `${'cut' | 'heal'} ${CoreSide}`; readonly node: string; readonly side: CoreSide };

export type EventKind = CampaignEvent['kind'];

/**
 * `kill` is SIGKILL, `stop` SIGTERM; a freeze is that of a virtual machine, its links silent; flapping is a second of
 * FAULT to and fro in keepalived.
 */
const PLAIN_KINDS = [
  'power cut',
  'boot',
  'freeze',
  'thaw',
  'kill agent',
  'start agent',
  'kill conntrackd',
  'start conntrackd',
  'kill keepalived',
  'stop keepalived',
  'start keepalived',
  'reload keepalived',
  'drain',
  'resume',
  'flap',
] as const;
type PlainKind = (typeof PLAIN_KINDS)[number];

const LINK_KINDS = [
  'cut inside',
  'cut outside',
  'cut sync',
  'heal inside',
  'heal outside',
  'heal sync',
] as const;

export const EVENT_KINDS = [...PLAIN_KINDS, ...LINK_KINDS] as const;

/** One step of a campaign: an event, and when it comes. */
export interface Step {
  readonly event: CampaignEvent;
  /** Milliseconds after the event before has settled, or, `unsettled`, after it has happened. */
  readonly after: number;
  readonly unsettled: boolean;
}

export const eventText = ({ kind, node }: CampaignEvent): string => `${kind} ${node}`;
