import * as z from 'zod';
import { askAgent } from '../agent/control.ts';
import { type Context, groupsMeant, RefusedError, requireRoot, socketPath } from './context.ts';

/** Longer than the agent itself waits for a hand-over. */
const BOUND_MS = 10_000;

const outcomes = z.array(
  z.object({
    group: z.string(),
    outcome: z.enum(['done', 'nothing to do', 'refused', 'failed']),
    reason: z.string(),
  }),
);

/** `takeover` and `release` by hand: the agent acts, each group's outcome is printed. */
export const move = async (
  context: Context,
  command: 'takeover' | 'release',
  target: string,
  options: { readonly force: boolean; readonly json: boolean },
): Promise<void> => {
  requireRoot(command);
  groupsMeant(context.groups, target);
  const body = { command, target, force: options.force };
  const results = outcomes.parse(await askAgent(socketPath(context.config), body, BOUND_MS));
  if (options.json) {
    console.log(JSON.stringify({ command, groups: results }));
  } else {
    for (const { group, outcome, reason } of results) {
      console.log(`${group}: ${outcome}: ${reason}`);
    }
  }
  const left = results
    .filter(({ outcome }) => outcome === 'refused' || outcome === 'failed')
    .map(({ group }) => group);
  if (left.length > 0) {
    throw new RefusedError(`${command} ${target}: not done for ${left.join(', ')}`);
  }
};
