import * as z from 'zod';
import { askAgent, type ControlRequest } from '../agent/control.ts';
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

export interface MoveOptions {
  readonly force: boolean;
  readonly json: boolean;
}

/** `takeover` and `release` by hand: the agent acts, each group's outcome is printed. */
export const move = async (
  context: Context,
  command: 'takeover' | 'release',
  target: string,
  options: MoveOptions,
): Promise<void> => {
  requireRoot(command);
  groupsMeant(context.groups, target);
  await carryOut(context, { command, target, force: options.force }, `${command} ${target}`, options);
};

/** `drain` and `resume`: likewise, through the manager. */
export const moveAll = async (
  context: Context,
  command: 'drain' | 'resume',
  options: MoveOptions,
): Promise<void> => {
  requireRoot(command);
  await carryOut(context, { command, force: options.force }, command, options);
};

const carryOut = async (
  context: Context,
  body: Exclude<ControlRequest, { command: 'status' }>,
  said: string,
  options: MoveOptions,
): Promise<void> => {
  const { command } = body;
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
    throw new RefusedError(`${said}: not done for ${left.join(', ')}`);
  }
};
