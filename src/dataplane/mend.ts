import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { Ruleset } from '../kernel/ruleset.ts';
import { DataPlaneError } from './check.ts';
import { damageOf, imprintNow, loadAndImprint, type TablesImprint } from './imprint.ts';
import { listLinks } from './links.ts';
import { digestOf } from './load.ts';
import type { Owned } from './nftables/netdev-table.ts';
import { readRecord, writeRecord } from './record.ts';
import { renderNftables } from './render.ts';
import { rivalsText } from './rivals.ts';

/** Notices that another program has removed or changed our tables, and loads them again. */
export class TableMender {
  /** What to do so that it doesn't happen again. */
  readonly advice: string =
    '"nft flush ruleset", or "systemctl restart nftables" with a file that begins so, does that: give your rules a table of their own and flush that (docs/coexistence.md)';
  readonly #config: ClusterConfig;
  readonly #node: NodeConfig;
  readonly #ruleset = new Ruleset();
  #loaded: TablesImprint = {};

  constructor(config: ClusterConfig, node: NodeConfig) {
    this.#config = config;
    this.#node = node;
  }

  /** Another number after every change of the machine's rules, by any program. Throws KernelError, NetlinkTimeoutError. */
  generation(): Promise<number> {
    return this.#ruleset.generation();
  }

  /** What has happened to our tables since they were loaded, in a few words; undefined: nothing. */
  async damage(): Promise<string | undefined> {
    const now = await imprintNow(this.#ruleset);
    if (damageOf(this.#loaded, now) !== undefined) {
      // Another program may have loaded them: the record tells.
      this.#loaded = (await readRecord(this.#config))?.tables ?? {};
    }
    return damageOf(this.#loaded, now);
  }

  /**
   * Loads our tables again, in one transaction, with what this node owns; everything else of the data plane is left as it is.
   * Not while something else changes the owned set.
   *
   * @throws DataPlaneError if the data plane isn't loaded at all, ProgramError, KernelError, RecordError
   */
  async mend(owned: Owned): Promise<void> {
    const record = await readRecord(this.#config);
    if (record?.complete !== true) {
      throw new DataPlaneError('the data plane is not loaded; load it with "conntrack-ha start"');
    }
    const links = await listLinks();
    this.#loaded = await loadAndImprint(renderNftables(this.#config, this.#node, links, owned));
    const rules = digestOf(renderNftables(this.#config, this.#node, links));
    await writeRecord(this.#config, { ...record, rules, tables: this.#loaded });
  }

  /** A sentence about each chain of others that translates before ours. */
  async rivals(): Promise<readonly string[]> {
    return rivalsText(this.#config, await this.#ruleset.sourceNat());
  }

  close(): void {
    this.#ruleset.close();
  }
}
