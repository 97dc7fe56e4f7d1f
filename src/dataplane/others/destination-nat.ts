import type { Ports } from '../../config/types.ts';

/** What a rule asks of a packet, as far as it is understood; undefined: it asks nothing, or what isn't understood. */
export interface Match {
  /** Interfaces by which it came in; `eth*` stands for all that begin so. */
  readonly devices?: readonly string[] | undefined;
  readonly protocols?: readonly string[] | undefined;
  /** Where it was sent to. */
  readonly addresses?: readonly string[] | undefined;
  readonly ports?: readonly Ports[] | undefined;
}

/** Where a rule sends it instead. */
export interface Target {
  readonly to: string;
  /** undefined: the port that it was sent to. */
  readonly toPort?: number | undefined;
  /** The port that it must have been sent to for that, where a map says so. */
  readonly ports?: readonly Ports[] | undefined;
}

/** A rule of another program's, in a chain that may translate destinations. */
export interface NatRule {
  readonly chain: string;
  readonly match: Match;
  readonly targets: readonly Target[];
  /** Chains that it leads to. */
  readonly jumps: readonly string[];
}

/** A destination that is translated by another program's rule. */
export interface DestinationNat extends Match, Target {
  /** The rule's chain, as an administrator finds it. */
  readonly where: string;
}

/** What was found, and whether nothing was left out: rules may lead to each other in too many ways. */
export interface Destinations {
  readonly found: readonly DestinationNat[];
  readonly isWhole: boolean;
}

/** So many visits of chains are followed. */
const STEPS = 20_000;

/** What packets that come in may meet, from the chains of the hook prerouting on. @param where names a chain */
export const reachable = (
  bases: readonly string[],
  rules: readonly NatRule[],
  where: (chain: string) => string,
): Destinations => {
  const byChain = new Map<string, NatRule[]>();
  for (const rule of rules) {
    const chain = byChain.get(rule.chain);
    if (chain === undefined) byChain.set(rule.chain, [rule]);
    else chain.push(rule);
  }
  const found: DestinationNat[] = [];
  const open: Open[] = bases.map((chain) => ({ chain, match: {}, above: new Set() }));
  for (let steps = 0; steps < STEPS; steps += 1) {
    const next = open.pop();
    if (next === undefined) break;
    const above = new Set([...next.above, next.chain]);
    for (const { match, targets, jumps } of byChain.get(next.chain) ?? []) {
      const all = narrowed(next.match, match);
      for (const { to, toPort, ports } of targets) {
        found.push({ ...narrowed(all, { ports }), to, toPort, where: where(next.chain) });
      }
      for (const chain of jumps) {
        if (!above.has(chain)) open.push({ chain, match: all, above });
      }
    }
  }
  return { found, isWhole: open.length === 0 };
};

/** A chain that is still to be gone through, with what packets that get there have in common. */
interface Open {
  readonly chain: string;
  readonly match: Match;
  readonly above: ReadonlySet<string>;
}

/** What the later one doesn't ask the earlier one has asked. */
const narrowed = (earlier: Match, later: Match): Match => ({
  devices: later.devices ?? earlier.devices,
  protocols: later.protocols ?? earlier.protocols,
  addresses: later.addresses ?? earlier.addresses,
  ports: later.ports ?? earlier.ports,
});
