import { type Warning, warningText } from '../../src/cluster/warning.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { warningsOf } from './warnings.ts';

/** What was found at a look, and what two looks in a row must find, is over by then; a comparison of flows too. */
const BOUND_MS = 20_000;

/** Waits until no node warns of anything. */
export const untilNoWarning = async (nodes: readonly FirewallNode[]): Promise<void> => {
  await until(
    'no node to warn of anything',
    async () => (await Promise.all(nodes.map(warningsNow))).flat(),
    BOUND_MS,
    (warnings) => warnings.length === 0,
  );
};

const warningsNow = async (node: FirewallNode): Promise<readonly string[]> =>
  ofNow(await warningsOf(node)).map((warning) => `${node.name}: ${warningText(warning)}`);

/** What has been mended `status` goes on telling for a while, with when it was. */
const OVER: readonly string[] = ['rules-reloaded'];

/** Of what is so now. */
export const ofNow = (warnings: readonly Warning[]): readonly Warning[] =>
  warnings.filter(({ code }) => !OVER.includes(code));
