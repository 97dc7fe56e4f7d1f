import { expect, it } from 'vitest';
import type { Translations } from '../../../../src/dataplane/others/dnat-reader.ts';
import { TranslationsJudge } from '../../../../src/dataplane/others/translations-judge.ts';
import { clusterConfig, nodeNamed } from '../../../kernel/dataplane/cluster-config.ts';

const config = clusterConfig({ snat: true });
const translations: Translations = {
  rules: [{ where: 'table ip admin, chain pre', protocols: ['tcp'], to: '192.168.0.80' }],
  unknown: [{ table: 'table inet broken', why: "nft can't list it" }],
};
const at = (address: string) => [{ device: 'eth1', address, prefix: 24, deprecated: false }];
const made = () => new TranslationsJudge(config, nodeNamed(config, 'fw1'));

it('names what isn’t published, and the tables that aren’t known', () => {
  const found = made().judge(translations, at('192.168.0.251'));
  expect(found.map(({ code, object }) => [code, object])).toEqual([
    ['unpublished-dnat', 'tcp any address'],
    ['others-unknown', 'translations, table inet broken'],
  ]);
  expect(found[1]?.text).toMatch(/in table inet broken can't be looked at: .*; nft can't list it$/);
});

it('judges again when translations or addresses change, and else not', () => {
  const judge = made();
  const first = judge.judge(translations, at('192.168.0.251'));
  expect(judge.judge(translations, at('192.168.0.251'))).toBe(first);
  expect(judge.judge(translations, at('192.168.0.80')).map(({ code }) => code)).toEqual(['others-unknown']);
  expect(judge.judge({ rules: [], unknown: [] }, at('192.168.0.80'))).toEqual([]);
});
