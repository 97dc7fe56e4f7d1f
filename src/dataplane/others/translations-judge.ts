import type { Warning } from '../../cluster/warning.ts';
import type { ClusterConfig, NodeConfig } from '../../config/types.ts';
import type { LocalAddress } from '../../kernel/links.ts';
import type { Translations } from './dnat-reader.ts';
import { unpublished } from './unpublished.ts';

/** Judges other programs' translations: again only when they, or the machine's addresses, have changed. There may be thousands. */
export class TranslationsJudge {
  readonly #config: ClusterConfig;
  readonly #node: NodeConfig;
  #translations: Translations | undefined;
  #addresses = '';
  #found: readonly Warning[] = [];

  constructor(config: ClusterConfig, node: NodeConfig) {
    this.#config = config;
    this.#node = node;
  }

  /** @param translations the same object as before, unless they have changed */
  judge(translations: Translations, local: readonly LocalAddress[]): readonly Warning[] {
    const addresses = local.map(({ device, address, prefix }) => `${device} ${address}/${prefix}`).join('\n');
    if (translations === this.#translations && addresses === this.#addresses) return this.#found;
    this.#found = [
      ...unpublished(this.#config, this.#node, translations.rules, local),
      ...translations.unknown.map(
        ({ table, why }): Warning => ({
          code: 'others-unknown',
          object: `translations, ${table}`,
          text: `other programs' translations in ${table} can't be looked at: whether they touch packets of the cluster isn't known; ${why}`,
        }),
      ),
    ];
    this.#translations = translations;
    this.#addresses = addresses;
    return this.#found;
  }
}
