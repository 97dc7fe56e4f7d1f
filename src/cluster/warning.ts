/** Every code that a warning may have. Stable, for programs look for them; docs/warnings.md says of each what it means. */
export const WARNING_CODES = [
  'peer-unreachable',
  'manager-silent',
  'drained',
  'two-owners',
  'wanted-twice',
  'no-owner',
  'not-synced',
  'interface-lost',
  'leg-deaf',
  'leg-unheard',
  'leg-silent',
  'leg-unproven',
  'not-mended',
  'rules-not-guarded',
  'rules-reloaded',
  'other-translation',
  'ports-used-up',
  'unpublished-dnat',
  'ingress-redirect',
  'port-in-range',
  'others-unknown',
  'table-fills',
  'no-room',
  'ipv4-forwarding',
  'ipv6-forwarding',
  'ipv6-disabled',
  'rp-filter',
  'route',
  'own-address',
  'own-address-gone',
  'sync-device',
  'sync-address',
  'vrrp-stranger',
  'mac-stranger',
  'address-stranger',
  'other-cluster',
  'keepalived-conf',
  'keepalived-instance',
  'keepalived-vrid',
  'keepalived-notify',
  'keepalived-priority',
  'keepalived-rttime',
  'conntrackd-starting',
  'conntrackd-absent',
  'conntrackd-stuck',
  'conntrackd-unfit',
  'conntrackd-setting',
  'conntrackd-ordered',
  'states-destroyed',
  'round-failed',
] as const;

export type WarningCode = (typeof WARNING_CODES)[number];

/** Something that an administrator should know of. */
export interface Warning {
  readonly code: WarningCode;
  /** What it is of, so that there is one for each code and object: a peer, a group, a device, a setting, a prefix. */
  readonly object: string;
  /** One sentence: what is wrong, what becomes of packets or connections, and how to mend it. */
  readonly text: string;
}

/** `text [code]`: as `status` and the log print it. */
export const warningText = ({ code, text }: Omit<Warning, 'code'> & { readonly code: string }): string =>
  `${text} [${code}]`;
