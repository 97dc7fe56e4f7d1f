import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Address, addressText, familyOf } from '../cluster/address.ts';
import type { Flow, Tuple } from '../cluster/flow.ts';
import { Channel, NETLINK_NETFILTER } from './channel.ts';
import { dump } from './dump.ts';
import { errnoName } from './errno.ts';
import { KernelError } from './error.ts';
import { AF_UNSPEC, addressFamily, CT_GET, CT_NEW } from './flow-attributes.ts';
import { parseFlow } from './flow-reading.ts';
import { type NewFlow, writeFlow } from './flow-writing.ts';
import {
  HEADER_BYTES,
  MessageWriter,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REQUEST,
} from './message.ts';
import { TupleBatch } from './tuple-template.ts';

export type { NewFlow } from './flow-writing.ts';

/** What became of a number of requests. done + missing + refused is that number. */
export interface BatchResult {
  readonly done: number;
  /** There was no such entry (ENOENT). */
  readonly missing: number;
  /** Refused for another reason. */
  readonly refused: number;
  /** The reasons, of the first REASONS refused. */
  readonly failed: readonly KernelError[];
}

export interface BatchOptions {
  /** Ends the work between two batches: what was sent is done, the rest isn't, and it rejects with the reason. */
  readonly signal?: AbortSignal | undefined;
}

const REASONS = 20;

/**
 * Messages in one send. The kernel works on all of them before the send returns: 0.1 to 1 ms. Their refusals, should
 * it refuse each, take 0.1 MB of the socket's buffer.
 */
const BATCH = 100;

/** See Channel: 32 of these are read in one turn, 5 to 8 ms with the kernel's own work. */
const DUMP_BYTES = 8 * 1024;
/** Answers are short; a refusal that quotes a longer request is cut off, which loses nothing. */
const ANSWER_BYTES = 512;

/** Entries asked for in one send: the kernel gives each answer a buffer of some kilobytes, and all must fit the socket's. */
const FOUND = 32;

/** Reads and changes the conntrack table of this network namespace: IPv4 and IPv6, entries outside of any zone. */
export class Conntrack {
  readonly #channel = new Channel({ protocol: NETLINK_NETFILTER, receiveBytes: ANSWER_BYTES });
  readonly #finding = new Channel({ protocol: NETLINK_NETFILTER, receiveBytes: DUMP_BYTES });
  readonly #dumps = new Set<Channel>();

  /**
   * All entries, about 40 at a time. Not a snapshot: the kernel walks the table meanwhile, so what comes and goes
   * may be missed or come twice. Leaving the loop ends the dump. Rejects with the signal's reason or what
   * `Channel.request` rejects with.
   */
  async *dump(options: BatchOptions = {}): AsyncGenerator<readonly Flow[], void, undefined> {
    // A dump can be ended only by closing its socket, and a socket has one at a time.
    const channel = new Channel({ protocol: NETLINK_NETFILTER, receiveBytes: DUMP_BYTES });
    this.#dumps.add(channel);
    try {
      yield* dump(channel, {
        operation: 'list',
        subject: 'the conntrack table',
        encode: encodeDump,
        parse: parseFlow,
        signal: options.signal,
      });
    } finally {
      this.#dumps.delete(channel);
      channel.close();
    }
  }

  /**
   * Has the kernel announce the entries with these original tuples (an update event, which conntrackd takes into its
   * cache and replicates) and changes nothing of them: a CT_NEW that may not create and says nothing but the
   * tuple. An entry that was made while no program listened for conntrack events is touched in silence, unless
   * net.netfilter.nf_conntrack_events was 1 when it was made (2 is the default, nf_ct_ecache_ext_add in
   * net/netfilter/nf_conntrack_ecache.c). Any number; a refused one doesn't hold up the others. Rejects with what `Channel.request` rejects with:
   * batches before have been carried out then.
   */
  touch(tuples: readonly Tuple[], options: BatchOptions = {}): Promise<BatchResult> {
    const batch = new TupleBatch('touch', BATCH);
    return this.#batches('touch', tuples, tupleText, (part, first) => batch.encode(part, first), options);
  }

  /** Deletes the entries with these original tuples. As `touch`. */
  remove(tuples: readonly Tuple[], options: BatchOptions = {}): Promise<BatchResult> {
    const batch = new TupleBatch('remove', BATCH);
    return this.#batches('delete', tuples, tupleText, (part, first) => batch.encode(part, first), options);
  }

  /**
   * The entries with these original tuples, in their order; undefined where there is none. Costs the kernel a few microseconds
   * each. Rejects with what `Channel.request` rejects with, or KernelError.
   */
  async find(tuples: readonly Tuple[]): Promise<readonly (Flow | undefined)[]> {
    const batch = new TupleBatch('find', FOUND);
    const flows: (Flow | undefined)[] = [];
    for (let start = 0; start < tuples.length; start += FOUND) {
      const part = tuples.slice(start, start + FOUND);
      const found = new Array<Flow | undefined>(part.length).fill(undefined);
      let first = 0;
      const { refusals } = await this.#finding.request({
        operation: 'find',
        subject: `${part.length} conntrack entries`,
        messages: part.length,
        encode: (sequence) => {
          first = sequence;
          return batch.encode(part, sequence);
        },
        onMessage: (view, at, end) => {
          found[sequenceOf(view, at) - first] = parseFlow(view, at, end);
        },
      });
      for (const { errno } of refusals.filter((refusal) => errnoName(refusal.errno) !== 'ENOENT')) {
        throw new KernelError(errno, 'find', 'conntrack entries');
      }
      flows.push(...found);
      await nextTurn();
    }
    return flows;
  }

  /** Makes entries, with NAT where the tuples differ. One that exists is refused with EEXIST. As `touch`. */
  insert(flows: readonly NewFlow[], options: BatchOptions = {}): Promise<BatchResult> {
    const writer = new MessageWriter(BATCH * 256);
    const encode = (part: readonly NewFlow[], first: number): Uint8Array => {
      writer.clear();
      for (const [index, flow] of part.entries()) {
        const acknowledge = index === part.length - 1 ? NLM_F_ACK : 0;
        const flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | acknowledge;
        writer.openMessage(CT_NEW, flags, first + index);
        writer.nfgen(addressFamily(familyOf(flow.original.src)));
        writeFlow(writer, flow);
        writer.closeMessage();
      }
      return writer.written;
    };
    return this.#batches('insert', flows, (flow) => tupleText(flow.original), encode, options);
  }

  /** Ends what is under way with ChannelClosedError. */
  close(): void {
    this.#channel.close();
    this.#finding.close();
    for (const channel of this.#dumps) {
      channel.close();
    }
  }

  async #batches<Item>(
    operation: string,
    items: readonly Item[],
    text: (item: Item) => string,
    encode: (part: readonly Item[], first: number) => Uint8Array,
    options: BatchOptions,
  ): Promise<BatchResult> {
    let missing = 0;
    let refused = 0;
    const failed: KernelError[] = [];
    for (let start = 0; start < items.length; start += BATCH) {
      options.signal?.throwIfAborted();
      const part = items.slice(start, start + BATCH);
      const { refusals } = await this.#channel.request({
        operation,
        subject: `${part.length} conntrack entries`,
        messages: part.length,
        encode: (first) => encode(part, first),
      });
      for (const { index, errno } of refusals) {
        const item = part[index];
        if (errnoName(errno) === 'ENOENT') {
          missing += 1;
        } else {
          refused += 1;
          if (failed.length < REASONS && item !== undefined) {
            failed.push(new KernelError(errno, operation, text(item)));
          }
        }
      }
      // The answer may be read in the turn that sent the request: without this, 32 batches would run in one turn.
      await nextTurn();
    }
    return { done: items.length - missing - refused, missing, refused, failed };
  }
}

const encodeDump = (sequence: number): Uint8Array => {
  const writer = new MessageWriter(32);
  writer.openMessage(CT_GET, NLM_F_REQUEST | NLM_F_DUMP, sequence);
  writer.nfgen(AF_UNSPEC);
  writer.closeMessage();
  return writer.written;
};

/** nlmsg_seq; `at` is behind the nlmsghdr. */
const sequenceOf = (view: DataView, at: number): number => view.getUint32(at - HEADER_BYTES + 8, true);

const tupleText = ({ protocol, src, dst, sport, dport }: Tuple): string =>
  `protocol ${protocol} ${endText(src, sport)} -> ${endText(dst, dport)}`;

const endText = (address: Address, port: number): string =>
  familyOf(address) === 4 ? `${addressText(address)}:${port}` : `[${addressText(address)}]:${port}`;
