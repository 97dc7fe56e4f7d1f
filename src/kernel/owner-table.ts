import { KernelError } from './error.ts';
import { MessageWriter } from './message.ts';
import { Nftables, openRulesetChannel, SetMissingError } from './nftables.ts';
import { type OwnerTable, ownerTableMessages, writeOwnerTable } from './owner-table-message.ts';

/** Which interfaces are in the table's sets from now on, by their indices, and for how many milliseconds. */
export interface Stay {
  readonly from: readonly number[];
  readonly when: number;
  readonly unless: number;
}

/** A table of nftables that goes when this process ends, however it ends: the kernel sees to that. Since Linux 5.12. */
export class OwnerTableHandle {
  readonly #table: OwnerTable;
  readonly #channel = openRulesetChannel();
  readonly #nftables = new Nftables(this.#channel);

  constructor(table: OwnerTable) {
    this.#table = table;
  }

  /**
   * Has the interfaces stay in both sets; makes the table if it isn't there. Returns whether that took one transaction: it may take
   * none, or one for the table too. Throws KernelError (EEXIST: another process has a table of
   * that name; EOPNOTSUPP or EINVAL: Linux before 5.12), and what `Channel.request` throws.
   */
  async stay(stay: Stay): Promise<boolean> {
    try {
      return await this.#stay(stay);
    } catch (error) {
      if (!(error instanceof SetMissingError)) {
        throw error;
      }
      await this.#make();
      await this.#stay(stay);
      return false;
    }
  }

  /** The table goes with it. */
  close(): void {
    this.#nftables.close();
  }

  #stay({ from, when, unless }: Stay): Promise<boolean> {
    return this.#nftables.stay([
      { set: this.#table.when, keys: from, timeout: when },
      { set: this.#table.unless, keys: from, timeout: unless },
    ]);
  }

  async #make(): Promise<void> {
    const operation = 'make';
    const { family, table } = this.#table.when;
    const subject = `table ${family} ${table}`;
    const { refusals } = await this.#channel.request({
      operation,
      subject,
      messages: ownerTableMessages(this.#table),
      batch: true,
      encode: (first) => {
        const writer = new MessageWriter();
        writeOwnerTable(writer, this.#table, first);
        return writer.written;
      },
    });
    for (const { errno } of refusals) {
      throw new KernelError(errno, operation, subject);
    }
  }
}
