import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  getChains,
  type NatChain,
  NF_INET_POST_ROUTING,
  NF_INET_PRE_ROUTING,
  parseNat,
} from './chain-message.ts';
import type { OnMessage } from './channel.ts';
import { dump } from './dump.ts';
import { KernelError, NetlinkConflictError } from './error.ts';
import { readGeneration } from './generation.ts';
import { MessageWriter } from './message.ts';
import { openRulesetChannel } from './nftables.ts';
import { writeGetElements } from './set-message.ts';
import {
  type ElementsKind,
  getParts,
  getTable,
  type PartKind,
  parseAnyElements,
  parsePart,
  parseStaticSet,
  parseTable,
  type TableRef,
} from './table-message.ts';

/** Another program's change takes tens of microseconds; one that never rests is not waited for. */
const ATTEMPTS = 20;

/** What tables are like at one moment. */
export interface Imprint {
  /** The generation of the rule set that it was taken at. */
  readonly generation: number;
  /** One text a table, in the order asked for: it is another one after any change but of counters, and of the elements of
   * sets with timeouts, or of all plain sets. undefined: there is no such table. */
  readonly tables: readonly (string | undefined)[];
}

/** Reads which tables, chains, rules, sets and elements there are: enough to see that somebody has changed them. */
export class Ruleset {
  readonly #channel = openRulesetChannel();

  /** Another number after every change of the rule set, by any program. Throws KernelError and what `Channel.request` throws. */
  generation(): Promise<number> {
    return readGeneration(this.#channel);
  }

  /**
   * Throws NetlinkConflictError if the rule set never rests, KernelError, and what `Channel.request` throws.
   *
   * @param elements `maps`: not those of plain sets, of which others may have a hundred thousand
   */
  async imprint(tables: readonly TableRef[], elements: ElementsKind = 'all'): Promise<Imprint> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const generation = await this.generation();
      const texts: (string | undefined)[] = [];
      for (const table of tables) {
        texts.push(await this.#imprintOf(table, elements).catch(absent));
      }
      if ((await this.generation()) === generation) {
        return { generation, tables: texts };
      }
      await nextTurn();
    }
    throw new NetlinkConflictError('read', 'the rule set', ATTEMPTS, undefined);
  }

  /** All chains of nftables that translate the source of packets. Throws KernelError and what `Channel.request` throws. */
  sourceNat(): Promise<readonly NatChain[]> {
    return this.#nat(NF_INET_POST_ROUTING);
  }

  /** The same of those that translate destinations of what comes in. */
  destinationNat(): Promise<readonly NatChain[]> {
    return this.#nat(NF_INET_PRE_ROUTING);
  }

  close(): void {
    this.#channel.close();
  }

  #nat(hook: number): Promise<NatChain[]> {
    return this.#dump('the chains', getChains, (view, at, end) => parseNat(hook, view, at, end));
  }

  async #imprintOf(ref: TableRef, kind: ElementsKind): Promise<string> {
    const hash = createHash('sha256');
    hash.update(await this.#table(ref));
    for (const part of ['chain', 'rule', 'set'] as const) {
      const parts = await this.#parts(ref, part, (view, at, end) => parsePart(ref, part, view, at, end));
      hash.update(parts.join('\n'));
    }
    const names = await this.#parts(ref, 'set', (view, at, end) => parseStaticSet(ref, kind, view, at, end));
    for (const name of names) {
      const elements = await this.#dump(
        `the elements of ${name}`,
        (sequence) => {
          const writer = new MessageWriter();
          writeGetElements(writer, { ...ref, name }, sequence);
          return writer.written;
        },
        parseAnyElements,
      );
      // A hash table may be walked in another order the next time.
      hash.update(`${name} ${elements.flat().sort().join(' ')}`);
    }
    return hash.digest('hex');
  }

  async #table(ref: TableRef): Promise<string> {
    const request = { operation: 'read', subject: `table ${ref.family} ${ref.table}` };
    let text = '';
    const { refusals } = await this.#channel.request({
      ...request,
      messages: 1,
      encode: (sequence) => getTable(ref, sequence),
      onMessage: (view, at, end) => {
        text = parseTable(view, at, end);
      },
    });
    for (const { errno } of refusals) {
      throw new KernelError(errno, request.operation, request.subject);
    }
    return text;
  }

  #parts<Part>(
    ref: TableRef,
    kind: PartKind,
    parse: (...message: Parameters<OnMessage>) => Part | undefined,
  ): Promise<Part[]> {
    const subject = `the ${kind}s of table ${ref.family} ${ref.table}`;
    return this.#dump(subject, (sequence) => getParts(ref, kind, sequence), parse);
  }

  async #dump<Part>(
    subject: string,
    encode: (sequence: number) => Uint8Array,
    parse: (...message: Parameters<OnMessage>) => Part | undefined,
  ): Promise<Part[]> {
    const found: Part[] = [];
    for await (const some of dump(this.#channel, { operation: 'read', subject, encode, parse })) {
      found.push(...some);
    }
    return found;
  }
}

/** What is gone while it is read is gone as well. */
const absent = (error: unknown): undefined => {
  if (error instanceof KernelError && error.code === 'ENOENT') {
    return undefined;
  }
  throw error;
};
