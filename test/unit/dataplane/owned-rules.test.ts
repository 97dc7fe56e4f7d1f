import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ownedRules, parseOwned } from '../../../src/dataplane/xtables/owned-rules.ts';

/** As iptables 1.8.9 lists a rule that was given as --cluster-local-node. */
const listed = (rule: string): string =>
  rule.replace(
    /--cluster-total-nodes (\d+) --cluster-local-node (\d+)/,
    (_, total, node) =>
      `--cluster-local-nodemask 0x${(2 ** (Number(node) - 1)).toString(16).padStart(8, '0')} --cluster-total-nodes ${total}`,
  );

const listing = (rules: readonly string[]): string =>
  ['-N CONNTRACK-HA-OWNED', ...rules.map((rule) => `-A CONNTRACK-HA-OWNED ${listed(rule)}`)].join('\n');

it('reads back from a listing what it has written', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 31 })), (owned) => {
      const rules = ownedRules({ seed: 7, buckets: 32 }, owned);
      expect([...parseOwned(listing(rules))].sort((one, other) => one - other)).toEqual(
        [...owned].sort((one, other) => one - other),
      );
    }),
  );
});

it('reads the forms that other versions may list, and no other chain', () => {
  const rules = [
    '-A CONNTRACK-HA-OWNED -m cluster --cluster-total-nodes 32 --cluster-local-node 32 --cluster-hash-seed 0x7 -j RETURN',
    '-A CONNTRACK-HA-OWNED -m cluster --cluster-local-nodemask 0x80000001 --cluster-total-nodes 32 --cluster-hash-seed 0x7 -j RETURN',
    '-A CONNTRACK-HA-OWNED -g CONNTRACK-HA-FOREIGN',
    '-A mine -m cluster --cluster-local-nodemask 0x00000002 --cluster-total-nodes 32 --cluster-hash-seed 0x7 -j RETURN',
  ];
  expect([...parseOwned(rules.join('\n'))].sort()).toEqual([0, 31]);
});
