import * as z from 'zod';
import { askAgent } from '../agent/control.ts';
import { type Context, groupsMeant, RefusedError, requireRoot, socketPath } from './context.ts';

/** Longer than the agent itself waits for a hand-over. */
const BOUND_MS = 10_000;

const outcomes = z.array(
  z.object({ group: z.string(), done: z.boolean(), skipped: z.boolean(), reason: z.string() }),
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
    console.log(JSON.stringify(results));
  } else {
    for (const { group, done, skipped, reason } of results) {
      const what = done ? (skipped ? 'nothing to do' : 'done') : skipped ? 'refused' : 'failed';
      console.log(`${group}: ${what}: ${reason}`);
    }
  }
  const left = results.filter(({ done }) => !done).map(({ group }) => group);
  if (left.length > 0) {
    throw new RefusedError(`${command} ${target}: not done for ${left.join(', ')}`);
  }
};
