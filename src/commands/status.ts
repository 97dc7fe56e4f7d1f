import { setTimeout as delay } from 'node:timers/promises';
import { askAgent } from '../agent/control.ts';
import type { Status } from '../observe/status.ts';
import { statusSchema } from '../observe/status-schema.ts';
import { statusText } from '../observe/status-text.ts';
import { type Context, socketPath } from './context.ts';

const BOUND_MS = 3000;

/** `status`: what the agent sees, once or every second. */
export const showStatus = async (
  context: Context,
  options: { readonly json: boolean; readonly watch: boolean },
): Promise<void> => {
  let reader = true;
  process.stdout.once('error', () => {
    reader = false; // gone, as with `| head`
  });
  while (reader) {
    const status = await readStatus(context);
    const text = options.json ? JSON.stringify(status) : statusText(status);
    console.log(options.watch && process.stdout.isTTY ? `\x1b[H\x1b[2J${text}` : text);
    if (!options.watch) {
      return;
    }
    await delay(1000);
  }
};

/** The running agent's status. Throws a NoAgentError where none runs. */
export const readStatus = async (context: Context): Promise<Status> =>
  statusSchema.parse(await askAgent(socketPath(context.config), { command: 'status' }, BOUND_MS));
