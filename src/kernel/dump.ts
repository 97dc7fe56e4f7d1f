import type { Channel, OnMessage, Subject } from './channel.ts';
import { KernelError } from './error.ts';

export interface DumpRequest<Entry> extends Subject {
  /** The request's one message, with NLM_F_DUMP. */
  readonly encode: (sequence: number) => Uint8Array;
  /** An entry of the reply, or undefined to leave it out. Throws a NetlinkReplyError. */
  readonly parse: (...message: Parameters<OnMessage>) => Entry | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a dump and yields its entries as they come, a datagram's worth at a time. Nothing holds the kernel back: what
 * a slow reader hasn't taken waits in memory. Rejects with what `Channel.request` rejects with, or KernelError. The
 * value at the end is whether what was dumped changed meanwhile. To stop early, close the channel.
 */
export async function* dump<Entry>(
  channel: Channel,
  request: DumpRequest<Entry>,
): AsyncGenerator<readonly Entry[], boolean, undefined> {
  const ready: (readonly Entry[])[] = [];
  let entries: Entry[] = [];
  let wake = (): void => undefined;
  let ended = false;
  const outcome = channel
    .request({
      ...request,
      messages: 1,
      onMessage: (...message) => {
        const entry = request.parse(...message);
        if (entry !== undefined) {
          entries.push(entry);
        }
      },
      onDatagram: () => {
        if (entries.length > 0) {
          ready.push(entries);
          entries = [];
          wake();
        }
      },
    })
    .finally(() => {
      ended = true;
      wake();
    });
  outcome.catch(() => undefined); // a reader that has left doesn't wait for it
  while (!ended || ready.length > 0) {
    const next = ready.shift();
    if (next !== undefined) {
      yield next;
    } else if (!ended) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  const { refusals, interrupted } = await outcome;
  for (const { errno } of refusals) {
    throw new KernelError(errno, request.operation, request.subject);
  }
  return interrupted;
}
