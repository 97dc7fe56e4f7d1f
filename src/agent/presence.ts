import { askAgent } from './control.ts';
import { NoAgentError } from './control-error.ts';

/** Whether an agent answers on this control socket. Throws if one is there and doesn't answer. */
export const agentRuns = async (socket: string): Promise<boolean> => {
  try {
    await askAgent(socket, { command: 'status' }, 2000);
    return true;
  } catch (error) {
    if (error instanceof NoAgentError) {
      return false;
    }
    throw error;
  }
};
