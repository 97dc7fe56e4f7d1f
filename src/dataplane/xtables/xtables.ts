import type { ClusterConfig } from '../../config/types.ts';
import { listLinks } from '../../kernel/links.ts';
import { run } from '../../system/run.ts';
import { planOf } from '../plan.ts';
import type { Rules } from '../rules.ts';
import { ARP_TABLE, arpRemoval, arpTable } from './arp-table.ts';
import { present, restore } from './iptables.ts';
import { JUMPS, TABLES, type TableName } from './names.ts';
import { translates } from './nat-table.ts';
import { OwnedChain } from './owned-chain.ts';
import { renderXtables, xtablesSections } from './render.ts';
import { removing } from './restore-file.ts';

const TIMEOUT = 30_000;

/** Rules of iptables with xt_cluster, as the howto of 2010 has them, and a table of nft for ARP. */
export const xtablesRules: Rules = {
  text: (config, node) => Promise.resolve(renderXtables(config, node)),
  load: async (config, node, { buckets }) => {
    const plan = planOf(config, node, await listLinks());
    await run('nft', ['-f', '-'], { input: arpTable(plan), timeout: TIMEOUT });
    await restore(xtablesSections(plan, buckets, await present()));
    return {};
  },
  remove: async () => {
    const there = await present();
    // What lets packets through goes first.
    const sections = [...TABLES].reverse().map((name) => removing(name, there));
    if (sections.some((section) => section !== '')) await restore(sections.join(''));
    await run('nft', ['-f', '-'], { input: arpRemoval, timeout: TIMEOUT });
  },
  loaded: (config) => isLoaded(config),
  damage: async (config) => ((await isLoaded(config)) ? undefined : 'rules of iptables were removed'),
  // Ours come first.
  rivals: () => Promise.resolve([]),
  owned: (config) => new OwnedChain(config),
};

const isLoaded = async (config: ClusterConfig): Promise<boolean> => {
  const there = await present();
  const isLed = (table: TableName): boolean =>
    JUMPS[table].every(({ from, to }) =>
      there.jumps(table).some((jump) => jump.from === from && jump.to === to),
    );
  const tables = await run('nft', ['list', 'tables'], { timeout: TIMEOUT });
  return (
    TABLES.filter((table) => table !== 'nat' || translates(config)).every(isLed) &&
    tables.split('\n').includes(`table netdev ${ARP_TABLE}`)
  );
};
