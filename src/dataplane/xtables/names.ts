/** All our chains begin so; no other is touched. iptables takes 28 characters. */
export const PREFIX = 'CONNTRACK-HA';

/** Names of our chains. They are a table's own, so two tables may have the same one. */
export const CHAIN = {
  /** Where packets of the data interfaces go by the side that they came in on. */
  pre: PREFIX,
  inside: `${PREFIX}-INSIDE`,
  outside: `${PREFIX}-OUTSIDE`,
  owned: `${PREFIX}-OWNED`,
  foreign: `${PREFIX}-FOREIGN`,
  input: `${PREFIX}-INPUT`,
  peers: `${PREFIX}-PEERS`,
  forward: `${PREFIX}-FORWARD`,
  output: `${PREFIX}-OUTPUT`,
  snat: `${PREFIX}-SNAT`,
  dnat: `${PREFIX}-DNAT`,
  reflect: `${PREFIX}-REFLECT`,
} as const;

/** In the order in which they are loaded: the one that lets packets through comes last. */
export const TABLES = ['raw', 'nat', 'mangle'] as const;

export type TableName = (typeof TABLES)[number];

/** A chain of ours and the kernel's own chain that leads to it. */
export interface Jump {
  readonly from: string;
  readonly to: string;
}

/** What leads to our chains in each table. */
export const JUMPS: Readonly<Record<TableName, readonly Jump[]>> = {
  raw: [
    { from: 'PREROUTING', to: CHAIN.pre },
    { from: 'OUTPUT', to: CHAIN.output },
  ],
  nat: [
    { from: 'PREROUTING', to: CHAIN.dnat },
    { from: 'POSTROUTING', to: CHAIN.snat },
  ],
  mangle: [
    { from: 'PREROUTING', to: CHAIN.pre },
    { from: 'INPUT', to: CHAIN.input },
    { from: 'FORWARD', to: CHAIN.forward },
    { from: 'OUTPUT', to: CHAIN.output },
  ],
};

/** A table as it is to be: our chains with their rules. */
export interface Table {
  readonly name: TableName;
  readonly chains: readonly Chain[];
}

export interface Chain {
  readonly name: string;
  /** Without `-A NAME`. */
  readonly rules: readonly string[];
}
