import type { FirewallNode } from './rig/node.ts';
import { SHARED, SHARED_MAC, SHARED6 } from './rig/plan.ts';

/** One thing that the product puts into the kernel and others take away: which, how, and whether it is there. */
export interface Taken {
  readonly what: string;
  readonly take: (node: FirewallNode) => Promise<unknown>;
  readonly isThere: (node: FirewallNode) => Promise<boolean>;
}

const DATA = ['inside', 'outside'] as const;

const addressOn = (address: string, device: string): Taken => ({
  what: `${address} on ${device}`,
  take: (node) => node.run(['ip', 'address', 'delete', address, 'dev', device]),
  isThere: async (node) =>
    (await node.run(['ip', 'address', 'show', 'dev', device])).includes(` ${address} `),
});

const setting = (name: string, wrong: string, right: string): Taken => ({
  what: name,
  take: (node) => node.run(['sysctl', '-qw', `${name}=${wrong}`]),
  isThere: async (node) => (await node.run(['sysctl', '-n', name])).trim() === right,
});

const macOn = (side: (typeof DATA)[number], device: string): Taken => ({
  what: `${SHARED_MAC[side]} on ${device}`,
  take: (node) => node.run(['ip', 'maddress', 'delete', SHARED_MAC[side], 'dev', device]),
  isThere: async (node) =>
    (await node.run(['ip', 'maddress', 'show', 'dev', device])).includes(SHARED_MAC[side]),
});

/** What there is in a lab with both families. */
export const TAKEN: readonly Taken[] = [
  ...DATA.flatMap((side, index) => [
    addressOn(`${SHARED[side]}/32`, `eth${index + 1}`),
    addressOn(`${SHARED6[side]}/64`, `eth${index + 1}`),
    macOn(side, `eth${index + 1}`),
  ]),
  setting('net.netfilter.nf_conntrack_tcp_loose', '1', '0'),
  setting('net.netfilter.nf_conntrack_tcp_be_liberal', '0', '1'),
  setting('net.netfilter.nf_conntrack_events', '2', '1'),
];
