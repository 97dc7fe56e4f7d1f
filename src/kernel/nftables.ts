import { setImmediate as nextTurn } from 'node:timers/promises';
import { Channel, NETLINK_NETFILTER } from './channel.ts';
import { dump } from './dump.ts';
import { errnoName } from './errno.ts';
import { KernelError, NetlinkConflictError } from './error.ts';
import { readGeneration } from './generation.ts';
import { MessageWriter } from './message.ts';
import {
  parseElements,
  type SetChange,
  type SetRef,
  type SetStep,
  setText,
  transactionMessages,
  writeGetElements,
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

/**
 * Another program's change takes tens of microseconds. So many in a row, for so many milliseconds, are a program that never
 * rests.
 */
const ATTEMPTS = 100;
const PATIENCE_MS = 500;

/** What the kernel answers when another program changed the rules in between. */
const CONFLICTS = new Set(['ENOENT', 'EEXIST', 'EAGAIN', 'EBUSY', 'EINTR', 'ERESTART']);

/** A tick where the kernel counts a hundred a second. Timeouts are rounded down to ticks, and none is for ever. */
const SHORTEST_TIMEOUT_MS = 10;

/** To be closed. */
export const openRulesetChannel = (): Channel =>
  new Channel({ protocol: NETLINK_NETFILTER, receiveBytes: RECEIVE_BYTES });

/** Reads and changes the elements of nftables sets whose keys are 32-bit numbers in host order. */
export class Nftables {
  readonly #channel: Channel;

  /** @param channel that of the table's owner, if it has one; closed with this */
  constructor(channel = openRulesetChannel()) {
    this.#channel = channel;
  }

  /**
   * The elements of a set, in no order; those whose timeout has ended are none. Throws SetMissingError, NetlinkConflictError, NetlinkReplyError for a set
   * of another kind (intervals, longer keys), and what `Channel.request` throws.
   */
  async elements(set: SetRef): Promise<number[]> {
    const began = performance.now();
    let attempt = 0;
    for (; attempt < ATTEMPTS || performance.now() - began < PATIENCE_MS; attempt += 1) {
      const before = await this.generation();
      const { keys, interrupted } = await this.#dump(set);
      // While the kernel moves a set to a larger hash table (rhashtable_walk_next), a dump in several messages can
      // give an element twice and then lack another, without a word. Nor does a dump of elements say that a transaction
      // came in between: nf_tables_dump_set() never calls nl_dump_check_consistent().
      const whole = !interrupted && distinct(keys).length === keys.length;
      if (whole && (await this.generation()) === before) {
        return keys;
      }
      await nextTurn();
    }
    throw new NetlinkConflictError('read', setText(set), attempt, undefined);
  }

  /**
   * Adds and removes elements of one set in one transaction: afterwards all of `add` are in it, for `timeout` from
   * now, and none of `remove`, or nothing has changed and it throws. What is there or missing already is no error.
   * Keys are 32 bits unsigned; a RangeError says which isn't, or is in both lists, or that the timeout is neither 0
   * nor at least 10 ms. Timeouts end up to two ticks of the kernel (HZ; at most 20 ms) early. Other errors as from
   * `elements`, and KernelError, EINVAL for a timeout in a set without `flags timeout`.
   */
  change(set: SetRef, change: Omit<SetChange, 'set'>): Promise<void> {
    return this.changeAll([{ set, ...change }]);
  }

  /** `change` for several sets, all in one transaction. */
  async changeAll(changes: readonly SetChange[]): Promise<void> {
    await this.#apply(changes);
  }

  /**
   * Starts the timeouts of elements anew, in one transaction: `timeout` milliseconds from now, 0 or none: for ever.
   * What is not in the set (any more) is not added. Errors as from `change`.
   *
   * No packet misses an element meanwhile where Linux looks again after a miss during a transaction: 6.17, 6.16.8,
   * 6.12.48 and up (nft_set_do_lookup() in net/netfilter/nft_lookup.c). Before, a packet whose lookup is under way on
   * another processor in the very moment of the commit may.
   *
   * @returns the keys that were there and are renewed, each once
   */
  async renew(set: SetRef, keys: readonly number[], timeout = 0): Promise<readonly number[]> {
    return (await this.renewAll([set], keys, timeout)).flat();
  }

  /** `renew` for several sets, all in one transaction. Returns each one's keys. */
  async renewAll(
    sets: readonly SetRef[],
    keys: readonly number[],
    timeout = 0,
  ): Promise<readonly (readonly number[])[]> {
    const steps = await this.#apply(
      sets.map((set) => ({ set, add: [], remove: [], restart: keys, timeout })),
    );
    return steps.map(({ restart = [] }) => restart);
  }

  /**
   * Has each key stay in its set for its timeout from now on, whether it is there or not, all in one transaction. Errors as from
   * `change`. @returns whether there was one: none is needed for no keys
   */
  async stay(
    steps: readonly (Pick<SetChange, 'set' | 'timeout'> & { readonly keys: readonly number[] })[],
  ): Promise<boolean> {
    const done = await this.#apply(
      steps.map(({ set, keys, timeout = 0 }) => ({ set, add: keys, remove: [], restart: keys, timeout })),
    );
    return transactionMessages(done) > 1;
  }

  /** The generation of the rule set: another number after every change of it, by any program. */
  generation(): Promise<number> {
    return readGeneration(this.#channel);
  }

  close(): void {
    this.#channel.close();
  }

  /** What it came to after reading what is in the sets. */
  async #apply(steps: readonly SetStep[]): Promise<readonly SetStep[]> {
    for (const step of steps) {
      checkStep(step);
    }
    const subject = steps.map(({ set }) => setText(set)).join(', ');
    let refusal: KernelError | undefined;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const needed = await this.#needed(steps, refusal !== undefined);
      if (transactionMessages(needed) === 1) {
        return needed;
      }
      refusal = await this.#commit(needed, subject);
      if (refusal === undefined) {
        return needed;
      }
      if (!CONFLICTS.has(refusal.code)) {
        throw refusal;
      }
      await nextTurn();
    }
    throw new NetlinkConflictError('change elements of', subject, ATTEMPTS, refusal);
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
   * The steps without the removals and restarts of what isn't there: removing that fails (NFT_MSG_DESTROYSETELEM,
   * which wouldn't, is from Linux 6.3). What is to be added and is there is restarted. Only additions need no reading,
   * unless the kernel has refused them.
   */
  #needed(steps: readonly SetStep[], mustRead: boolean): Promise<SetStep[]> {
    return Promise.all(
      steps.map(async (step) => {
        const add = distinct(step.add);
        const remove = distinct(step.remove);
        const restart = distinct(step.restart ?? []);
        if (remove.length + restart.length === 0 && !mustRead) {
          return { ...step, add };
        }
        const present = new Set(await this.elements(step.set));
        const isPresent = (key: number): boolean => present.has(key);
        return {
          ...step,
          add: add.filter((key) => !isPresent(key)),
          remove: remove.filter(isPresent),
          restart: distinct([...restart, ...add]).filter(isPresent),
        };
      }),
    );
  }

  async #commit(steps: readonly SetStep[], subject: string): Promise<KernelError | undefined> {
    const operation = 'change elements of';
    const { refusals } = await this.#channel.request({
      operation,
      subject,
      messages: transactionMessages(steps),
      batch: true,
      encode: (first) => written((writer) => writeTransaction(writer, steps, first)),
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

const distinct = (keys: readonly number[]): readonly number[] => [...new Set(keys)];

const checkStep = ({ set, add, remove, restart = [], timeout = 0 }: SetStep): void => {
  const adding = new Set(add);
  for (const key of [...add, ...remove, ...restart]) {
    if (!Number.isInteger(key) || key < 0 || key > 0xffff_ffff) {
      throw new RangeError(`expected a 32-bit number for ${setText(set)}, got ${key}`);
    }
  }
  const both = remove.find((key) => adding.has(key));
  if (both !== undefined) {
    throw new RangeError(`${both} is both to be added to ${setText(set)} and removed from it`);
  }
  if (!Number.isSafeInteger(timeout) || timeout < 0 || (timeout > 0 && timeout < SHORTEST_TIMEOUT_MS)) {
    const expected = `0 or at least ${SHORTEST_TIMEOUT_MS} ms as a timeout in ${setText(set)}`;
    throw new RangeError(`expected ${expected}, got ${timeout}`);
  }
};
