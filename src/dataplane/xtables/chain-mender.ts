import type { Warning } from '../../cluster/warning.ts';
import type { ClusterConfig, NodeConfig } from '../../config/types.ts';
import type { Link } from '../../kernel/links.ts';
import { DataPlaneError } from '../check.ts';
import { type Hook, HookWatch } from '../hook-watch.ts';
import type { Damage } from '../mend.ts';
import type { Owned } from '../nftables/netdev-table.ts';
import { planOf } from '../plan.ts';
import { readRecord, writeRecord } from '../record.ts';
import { xtablesRules } from './xtables.ts';

/** Nobody tells of a change of iptables-legacy's rules: they are looked at so often. Milliseconds. */
const LOOK_MS = 1000;

/** Notices that another program has removed our rules, and loads them again: TableMender's counterpart for xtables. */
export class ChainMender {
  readonly #advice: string =
    '"iptables-restore" without --noflush does that, and so does flushing the tables raw, nat or mangle: reload your rules with --noflush, or flush chains of your own (docs/data-plane.md)';
  readonly #config: ClusterConfig;
  readonly #node: NodeConfig;
  readonly #hooks: HookWatch;

  constructor(config: ClusterConfig, node: NodeConfig) {
    this.#config = config;
    this.#node = node;
    this.#hooks = new HookWatch(config, planOf(config, node));
  }

  /** Another number whenever a look is due. */
  generation(): Promise<number> {
    return Promise.resolve(Math.floor(performance.now() / LOOK_MS));
  }

  /** What has happened to our rules, in a few words; undefined: nothing. A chain that was changed isn't noticed. Throws ProgramError. */
  async damage(): Promise<Damage | undefined> {
    const what = await xtablesRules.damage(this.#config, {});
    if (what !== undefined) return { what: `${what} by another program`, advice: this.#advice };
    const change = await this.#hooks.change();
    return change === undefined ? undefined : { what: change };
  }

  /** As `HookWatch` has it: rules of iptables know interfaces by their names, those for ARP are hooked to them. */
  hookOf(link: Link): Hook {
    return this.#hooks.hookOf(link);
  }

  /** Loads them again with what this node owns. Throws DataPlaneError if the data plane isn't loaded at all, ProgramError, RecordError. */
  async mend(owned: Owned): Promise<void> {
    const record = await readRecord(this.#config);
    if (record?.complete !== true) {
      throw new DataPlaneError('the data plane is not loaded; load it with "conntrack-ha start"');
    }
    const links = await this.#hooks.links();
    await xtablesRules.load(this.#config, this.#node, owned);
    await writeRecord(this.#config, { ...record, hooked: await this.#hooks.loadedFor(links) });
  }

  rivals(): Promise<readonly Warning[]> {
    return xtablesRules.rivals(this.#config);
  }

  close(): void {
    this.#hooks.close();
  }
}
