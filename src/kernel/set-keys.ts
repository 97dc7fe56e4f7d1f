import { dump } from './dump.ts';
import { KernelError } from './error.ts';
import { MessageWriter } from './message.ts';
import { openRulesetChannel } from './nftables.ts';
import { mapElements, parseKeyBytes, type SetRef, setText, writeGetElements } from './set-message.ts';

/** Reads the elements of nftables sets of any type. To be closed. */
export class SetKeys {
  readonly #channel = openRulesetChannel();

  /**
   * The keys of a set as the kernel has them, each field in network order and filled up to a multiple of four bytes; undefined: there is
   * no such set. One may be missing or there twice if the set changes meanwhile. Throws KernelError, NetlinkReplyError for a set of
   * intervals, and what `Channel.request` throws.
   */
  async read(set: SetRef): Promise<readonly Buffer[] | undefined> {
    const reply = dump(this.#channel, {
      operation: 'read',
      subject: setText(set),
      encode: (sequence) => {
        const writer = new MessageWriter();
        writeGetElements(writer, set, sequence);
        return writer.written;
      },
      parse: (view, at, end) => mapElements(view, at, end, parseKeyBytes),
    });
    try {
      const keys: Buffer[] = [];
      for await (const part of reply) keys.push(...part.flat());
      return keys;
    } catch (error) {
      if (error instanceof KernelError && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  close(): void {
    this.#channel.close();
  }
}
