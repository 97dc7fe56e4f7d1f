import type { FlowVerdict } from '../verdict/ledger.ts';

/** Everything the demo shows, at one moment. */
export interface Model {
  readonly title: string;
  /** Milliseconds since the beginning. */
  readonly elapsed: number;
  readonly nodes: readonly NodeView[];
  readonly groups: readonly GroupView[];
  readonly flows: readonly FlowVerdict[];
  /** The oldest first. */
  readonly events: readonly Happening[];
}

export interface NodeView {
  readonly name: string;
  readonly on: boolean;
  /** How many buckets are in the kernel's owned set; undefined: no data plane. */
  readonly owned: number | undefined;
  /** Packets per second from the node, and to it (its own and those it drops), by the switches' counters. */
  readonly sends: number;
  readonly gets: number;
}

export interface GroupView {
  readonly name: string;
  readonly buckets: number;
  /** Nodes whose kernel owns buckets of it, and how many. One with all of them: as it should be. */
  readonly owners: readonly { readonly node: string; readonly buckets: number }[];
}

export interface Happening {
  /** Milliseconds since the beginning. */
  readonly at: number;
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'bad';
}
