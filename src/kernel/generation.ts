import type { Channel } from './channel.ts';
import { KernelError, NetlinkReplyError } from './error.ts';
import { MessageWriter } from './message.ts';
import { parseGeneration, writeGetGeneration } from './set-message.ts';

/**
 * The generation of the rule set of this network namespace: another number after every change of it, by any program.
 * Throws KernelError, NetlinkReplyError, and what `Channel.request` throws.
 */
export const readGeneration = async (channel: Channel): Promise<number> => {
  const request = { operation: 'read', subject: 'the generation of the rule set' };
  let generation: number | undefined;
  const { refusals } = await channel.request({
    ...request,
    messages: 1,
    encode: (sequence) => {
      const writer = new MessageWriter();
      writeGetGeneration(writer, sequence);
      return writer.written;
    },
    onMessage: (view, at, end) => {
      generation = parseGeneration(view, at, end);
    },
  });
  for (const { errno } of refusals) {
    throw new KernelError(errno, request.operation, request.subject);
  }
  if (generation === undefined) {
    throw new NetlinkReplyError('no generation in the answer', 0);
  }
  return generation;
};
