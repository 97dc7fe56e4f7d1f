import { Ruleset } from '../../kernel/ruleset.ts';
import { damageOf, imprintNow, loadAndImprint } from '../imprint.ts';
import { listLinks } from '../links.ts';
import { OwnedSets } from '../owned-sets.ts';
import { renderNftables } from '../render.ts';
import { rivalsOf } from '../rivals.ts';
import type { Rules } from '../rules.ts';
import { removeTables, tablesLoaded } from '../tables.ts';

/** Tables of nft that sort packets before conntrack sees them. */
export const nftablesRules: Rules = {
  text: async (config, node) => renderNftables(config, node, await listLinks()),
  load: async (config, node, owned) => loadAndImprint(renderNftables(config, node, await listLinks(), owned)),
  remove: removeTables,
  loaded: tablesLoaded,
  damage: (_, loaded) => withRuleset(async (ruleset) => damageOf(loaded, await imprintNow(ruleset))),
  rivals: (config) => withRuleset(async (ruleset) => rivalsOf(config, await ruleset.sourceNat())),
  owned: (_, lease) => new OwnedSets(lease),
};

const withRuleset = async <T>(ask: (ruleset: Ruleset) => Promise<T>): Promise<T> => {
  const ruleset = new Ruleset();
  try {
    return await ask(ruleset);
  } finally {
    ruleset.close();
  }
};
