import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Warning } from '../../../../src/cluster/warning.ts';
import { OthersWatch } from '../../../../src/dataplane/others/watch.ts';
import { clusterConfig, nodeNamed } from '../../../kernel/dataplane/cluster-config.ts';

const config = clusterConfig({ snat: true });
const redirect: Warning = { code: 'ingress-redirect', object: 'eth1', text: 'pref 10 redirects' };

let lines: string[];
let watch: OthersWatch;
beforeEach(() => {
  lines = [];
  watch = new OthersWatch(config, nodeNamed(config, 'fw1'), {
    info: (text: unknown) => lines.push(`info ${text}`),
    warn: (text: unknown) => lines.push(`warn ${text}`),
  });
});
afterEach(() => watch.close());

describe('what others do', () => {
  it('is said once it was found at two looks, and its end at the first without it', () => {
    watch.take([redirect]);
    expect([watch.warnings, lines]).toEqual([[], []]);
    watch.take([redirect]);
    watch.take([redirect]);
    expect(watch.warnings).toEqual([redirect]);
    expect(lines).toEqual(['warn pref 10 redirects [ingress-redirect]']);
    watch.take([]);
    expect(watch.warnings).toEqual([]);
    expect(lines.slice(1)).toEqual(['info no longer so: pref 10 redirects [ingress-redirect]']);
  });

  it('is nothing if it was so for one look, or of something else at the next', () => {
    watch.take([redirect]);
    watch.take([{ ...redirect, object: 'eth2' }]);
    watch.take([redirect]);
    expect([watch.warnings, lines]).toEqual([[], []]);
  });

  it('is said again when it is said otherwise', () => {
    for (const text of ['one', 'one', 'other']) watch.take([{ ...redirect, text }]);
    expect(lines).toEqual(['warn one [ingress-redirect]', 'warn other [ingress-redirect]']);
  });
});
