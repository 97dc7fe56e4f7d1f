import type { CoreSide } from '../rig/plan.ts';

/** Something that happens to one node, or to `ALL_NODES`. */
export type CampaignEvent =
  | { readonly kind: PlainKind; readonly node: string }
  | { readonly kind: `${'cut' | 'heal'} ${CoreSide}`; readonly node: string; readonly side: CoreSide }
  | { readonly kind: `${'withhold' | 'deliver'} ${LegSide}`; readonly node: string; readonly side: LegSide }
  | ChangeEvent;

/** Where the lab's flows are. */
export type LegSide = Exclude<CoreSide, 'sync'>;

/** What others change under the cluster, as ifup, networkd, udev, sysctl and a restart of nftables do. Soon all is as it was, or mended. */
export type ChangeEvent =
  | LinkChange
  | {
      readonly kind: `change MAC ${LegSide}`;
      readonly node: string;
      readonly side: LegSide;
      readonly mac: string;
    }
  | { readonly kind: 'take away'; readonly node: string; readonly what: string }
  | {
      readonly kind: 'flush rules' | 'restart conntrackd' | 'reset timers' | 'foreign VRRP';
      readonly node: string;
    };

/**
 * The interface is removed and made again, down and up again (on one node, or on all at once), or has another name meanwhile; so many
 * milliseconds lie between.
 */
export interface LinkChange {
  readonly kind: `${'remake' | 'bounce' | 'bounce all' | 'rename'} ${CoreSide}`;
  readonly node: string;
  readonly side: CoreSide;
  readonly gone: number;
}

/** The node of an event that happens to all of them at once. */
export const ALL_NODES = 'all nodes';

export type EventKind = CampaignEvent['kind'];

/**
 * `kill` is SIGKILL, `stop` SIGTERM; a freeze is that of a virtual machine, its links silent; flapping is a second of
 * FAULT to and fro in keepalived. A table that is filled has other programs' entries in nine tenths of what it may hold.
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
  'fill table',
  'empty table',
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

/** The switch gives the node no frame to the shared MAC any more, and gives them again. */
const DELIVERY_KINDS = ['withhold inside', 'withhold outside', 'deliver inside', 'deliver outside'] as const;

/** conntrackd that is restarted is killed, and its lock is left. Its timers are reset by `-t`, as a site's primary-backup.sh does. */
const CHANGE_KINDS = [
  'remake inside',
  'remake outside',
  'remake sync',
  'bounce inside',
  'bounce outside',
  'bounce sync',
  'bounce all inside',
  'bounce all outside',
  'bounce all sync',
  'rename inside',
  'rename outside',
  'rename sync',
  'change MAC inside',
  'change MAC outside',
  'take away',
  'flush rules',
  'restart conntrackd',
  'reset timers',
  'foreign VRRP',
] as const;

export const EVENT_KINDS = [...PLAIN_KINDS, ...LINK_KINDS, ...DELIVERY_KINDS, ...CHANGE_KINDS] as const;

/** One step of a campaign: an event, and when it comes. */
export interface Step {
  readonly event: CampaignEvent;
  /** Milliseconds after the event before has settled, or, `unsettled`, after it has happened. */
  readonly after: number;
  readonly unsettled: boolean;
}

/** `bounce inside fw1 (20 ms)` */
export const eventText = (event: CampaignEvent): string => {
  const detail =
    'gone' in event
      ? ` (${event.gone} ms)`
      : 'what' in event
        ? ` (${event.what})`
        : 'mac' in event
          ? ` (${event.mac})`
          : '';
  return `${event.kind} ${event.node}${detail}`;
};
