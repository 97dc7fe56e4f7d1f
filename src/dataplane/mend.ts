import type { Warning } from '../cluster/warning.ts';
import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import type { Link } from '../kernel/links.ts';
import { Ruleset } from '../kernel/ruleset.ts';
import { DataPlaneError } from './check.ts';
import { type Hook, HookWatch } from './hook-watch.ts';
import { damageOf, imprintNow, loadAndImprint, mayBeInterfaces, type TablesImprint } from './imprint.ts';
import { digestOf } from './load.ts';
import type { Owned } from './nftables/netdev-table.ts';
import { planOf } from './plan.ts';
import { readRecord, writeRecord } from './record.ts';
import { renderNftables } from './render.ts';
import { rivalsOf } from './rivals.ts';

/** What has happened to our rules since they were loaded. */
export interface Damage {
  /** In a few words. */
  readonly what: string;
  /** What to do so that it doesn't happen again; undefined: an interface has come or changed, which is nobody's fault. */
  readonly advice?: string;
}

const ADVICE =
  '"nft flush ruleset", or "systemctl restart nftables" with a file that begins so, does that: give your rules a table of their own and flush that (docs/coexistence.md)';

/** Notices that another program has removed or changed our tables, or made an interface again, and loads them again. */
export class TableMender {
  readonly #config: ClusterConfig;
  readonly #node: NodeConfig;
  readonly #hooks: HookWatch;
  readonly #ruleset = new Ruleset();
  #loaded: TablesImprint = {};

  constructor(config: ClusterConfig, node: NodeConfig) {
    this.#config = config;
    this.#node = node;
    this.#hooks = new HookWatch(config, planOf(config, node));
  }

  /** Another number after every change of the machine's rules, by any program. Throws KernelError, NetlinkTimeoutError. */
  generation(): Promise<number> {
    return this.#ruleset.generation();
  }

  /** As `HookWatch` has it. */
  hookOf(link: Link): Hook {
    return this.#hooks.hookOf(link);
  }

  /** Undefined: nothing. Throws what reading tables and links throws, RecordError. */
  async damage(): Promise<Damage | undefined> {
    const now = await imprintNow(this.#ruleset);
    if (damageOf(this.#loaded, now) !== undefined) {
      // Another process may have loaded them: the record tells.
      this.#loaded = (await readRecord(this.#config))?.tables ?? {};
    }
    const tables = damageOf(this.#loaded, now);
    const change = await this.#hooks.change();
    const gone =
      tables !== undefined && mayBeInterfaces(this.#loaded, now) ? await this.#hooks.gone() : undefined;
    if (tables !== undefined && gone === undefined) {
      return { what: `${tables} by another program`, advice: ADVICE };
    }
    const what = gone ?? change;
    return what === undefined ? undefined : { what };
  }

  /**
   * Loads our tables again, in one transaction, with what this node owns, for the interfaces that are there; everything else of the
   * data plane is left as it is. Not while something else changes the owned set.
   *
   * @throws DataPlaneError if the data plane isn't loaded at all, ProgramError, KernelError, RecordError
   */
  async mend(owned: Owned): Promise<void> {
    const record = await readRecord(this.#config);
    if (record?.complete !== true) {
      throw new DataPlaneError('the data plane is not loaded; load it with "conntrack-ha start"');
    }
    // Before the rules: an interface that comes meanwhile has none.
    const links = await this.#hooks.links();
    this.#loaded = await loadAndImprint(renderNftables(this.#config, this.#node, links, owned));
    const hooked = await this.#hooks.loadedFor(links);
    const rules = digestOf(renderNftables(this.#config, this.#node, links));
    await writeRecord(this.#config, { ...record, rules, tables: this.#loaded, hooked });
  }

  /** The chains of others that translate before ours. */
  async rivals(): Promise<readonly Warning[]> {
    return rivalsOf(this.#config, await this.#ruleset.sourceNat());
  }

  close(): void {
    this.#hooks.close();
    this.#ruleset.close();
  }
}
