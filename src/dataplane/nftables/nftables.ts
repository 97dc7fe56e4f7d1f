import { macsOf } from '../macs.ts';
import { OwnedBuckets } from '../owned-buckets.ts';
import { renderNftables } from '../render.ts';
import type { Rules } from '../rules.ts';
import { loadTables, removeTables, tablesLoaded } from '../tables.ts';

/** Tables of nft that sort packets before conntrack sees them. */
export const nftablesRules: Rules = {
  text: async (config, node) => renderNftables(config, node, await macsOf()),
  load: async (config, node, owned) => loadTables(renderNftables(config, node, await macsOf(), owned)),
  remove: removeTables,
  loaded: tablesLoaded,
  owned: (_, lease) => new OwnedBuckets(lease),
};
