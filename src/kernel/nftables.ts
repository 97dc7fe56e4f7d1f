import { setImmediate as nextTurn } from 'node:timers/promises';
import { Channel, NETLINK_NETFILTER } from './channel.ts';
import { dump } from './dump.ts';
import { errnoName } from './errno.ts';
import { KernelError, NetlinkConflictError, NetlinkReplyError } from './error.ts';
import { MessageWriter } from './message.ts';
import {
  parseElements,
  parseGeneration,
  type SetChange,
  type SetRef,
  setText,
  transactionMessages,
  writeGetElements,
  writeGetGeneration,
  writeTransaction,
} from './set-message.ts';

export type { SetChange, SetRef } from './set-message.ts';

/** The table or the set isn't there. */
export class SetMissingError extends Error {
  override readonly name = 'SetMissingError';
  readonly set: SetRef;

  constructor(set: SetRef, cause: unknown) {
    super(`there is no ${setText(set)}: the data plane is not loaded; load it with "conntrack-ha start"`, {
      cause,
    });
    this.set = set;
  }
}

/** Longest netlink datagram that the kernel makes for a dump is 32 KiB. */
const RECEIVE_BYTES = 32 * 1024;

/** Another program's change takes tens of microseconds; a hundred in a row is a program that never rests. */
const ATTEMPTS = 100;

/** What the kernel answers when another program changed the rules in between. */
const CONFLICTS = new Set(['ENOENT', 'EAGAIN', 'EBUSY', 'EINTR', 'ERESTART']);

/** Reads and changes the elements of nftables sets whose keys are 32-bit numbers in host order. */
export class Nftables {
  readonly #channel: Channel;

  constructor() {
    this.#channel = new Channel({ protocol: NETLINK_NETFILTER, receiveBytes: RECEIVE_BYTES });
  }

  /**
   * The elements of a set, in no order. Throws SetMissingError, NetlinkConflictError, NetlinkReplyError for a set
   * of another kind (intervals, longer keys), and what `Channel.request` throws.
   */
  async elements(set: SetRef): Promise<number[]> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const { keys, interrupted } = await this.#dump(set);
      const once = new Set(keys);
      // While the kernel moves a set to a larger hash table (rhashtable_walk_next), a dump in several messages can
      // give an element twice and then lack another, without a word.
      if (!interrupted && once.size === keys.length) {
        return keys;
      }
      await nextTurn();
    }
    throw new NetlinkConflictError('read', setText(set), ATTEMPTS, undefined);
  }

  /**
   * Adds and removes elements of one set in one transaction: afterwards all of `add` are in it and none of
   * `remove`, or nothing has changed and it throws. What is there or missing already is no error. Keys are 32 bits
   * unsigned; a RangeError says which isn't, or is in both lists. Other errors as from `elements`, and KernelError.
   */
  change(set: SetRef, change: Omit<SetChange, 'set'>): Promise<void> {
    return this.changeAll([{ set, ...change }]);
  }

  /** `change` for several sets, all in one transaction. */
  async changeAll(changes: readonly SetChange[]): Promise<void> {
    for (const change of changes) {
      checkKeys(change);
    }
    const subject = changes.map(({ set }) => setText(set)).join(', ');
    let refusal: KernelError | undefined;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const needed = await this.#needed(changes, refusal !== undefined);
      if (needed.every(({ add, remove }) => add.length + remove.length === 0)) {
        return;
      }
      refusal = await this.#commit(needed, subject);
      if (refusal === undefined) {
        return;
      }
      if (!CONFLICTS.has(refusal.code)) {
        throw refusal;
      }
      await nextTurn();
    }
    throw new NetlinkConflictError('change elements of', subject, ATTEMPTS, refusal);
  }

  /** The generation of the rule set: another number after every change of it, by any program. */
  async generation(): Promise<number> {
    const request = { operation: 'read', subject: 'the generation of the rule set' };
    let generation: number | undefined;
    const { refusals } = await this.#channel.request({
      ...request,
      messages: 1,
      encode: (sequence) => written((writer) => writeGetGeneration(writer, sequence)),
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
  }

  close(): void {
    this.#channel.close();
  }

  async #dump(set: SetRef): Promise<{ keys: number[]; interrupted: boolean }> {
    const reply = dump(this.#channel, {
      operation: 'read',
      subject: setText(set),
      encode: (sequence) => written((writer) => writeGetElements(writer, set, sequence)),
      parse: parseElements,
    });
    try {
      const keys: number[] = [];
      for (let part = await reply.next(); ; part = await reply.next()) {
        if (part.done === true) {
          return { keys, interrupted: part.value };
        }
        keys.push(...part.value.flat());
      }
    } catch (error) {
      throw error instanceof KernelError && error.code === 'ENOENT' ? new SetMissingError(set, error) : error;
    }
  }

  /**
   * The changes without the removals of what isn't there: removing that fails (NFT_MSG_DESTROYSETELEM, which
   * wouldn't, is from Linux 6.3). Only additions need no reading, unless the kernel has refused them.
   */
  #needed(changes: readonly SetChange[], mustRead: boolean): Promise<SetChange[]> {
    return Promise.all(
      changes.map(async (change) => {
        if (change.remove.length === 0 && !mustRead) {
          return change;
        }
        const present = new Set(await this.elements(change.set));
        return { ...change, remove: [...new Set(change.remove)].filter((key) => present.has(key)) };
      }),
    );
  }

  async #commit(changes: readonly SetChange[], subject: string): Promise<KernelError | undefined> {
    const operation = 'change elements of';
    const { refusals } = await this.#channel.request({
      operation,
      subject,
      messages: transactionMessages(changes),
      batch: true,
      encode: (first) => written((writer) => writeTransaction(writer, changes, first)),
    });
    // The first is the cause; a conflict beside an error that lasts must not be tried for ever.
    const lasting = refusals.find(({ errno }) => !CONFLICTS.has(errnoName(errno))) ?? refusals[0];
    return lasting === undefined ? undefined : new KernelError(lasting.errno, operation, subject);
  }
}

const written = (write: (writer: MessageWriter) => void): Uint8Array => {
  const writer = new MessageWriter();
  write(writer);
  return writer.written;
};

const checkKeys = ({ set, add, remove }: SetChange): void => {
  const adding = new Set(add);
  for (const key of [...add, ...remove]) {
    if (!Number.isInteger(key) || key < 0 || key > 0xffff_ffff) {
      throw new RangeError(`expected a 32-bit number for ${setText(set)}, got ${key}`);
    }
  }
  const both = remove.find((key) => adding.has(key));
  if (both !== undefined) {
    throw new RangeError(`${both} is both to be added to ${setText(set)} and removed from it`);
  }
};
