import type { Warning } from '../../src/cluster/warning.ts';
import { statusOf } from './command-output.ts';
import type { FirewallNode } from './rig/node.ts';

/** What a node's status warns of. */
export const warningsOf = async (node: FirewallNode): Promise<readonly Warning[]> =>
  (await statusOf(node)).warnings;

/** The same, the sentences alone. */
export const warningTexts = async (node: FirewallNode): Promise<readonly string[]> =>
  (await warningsOf(node)).map(({ text }) => text);
