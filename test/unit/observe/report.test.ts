import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { entryOf, reportText } from '../../../src/observe/report.ts';
import { configurationSection } from '../../../src/observe/report-configuration.ts';
import { sumsOf } from '../../../src/observe/report-figures.ts';
import { hardwareSection } from '../../../src/observe/report-hardware.ts';
import { countOf } from '../../../src/observe/report-rules.ts';
import { versionsSection } from '../../../src/observe/report-versions.ts';
import { clusterConfig } from '../../support/cluster-config.ts';

const node = { name: 'fw1', id: 1, sync: '10.99.0.1', devices: { eth1: 'nowhere0' } };

describe('the text', () => {
  it('has short entries in columns and longer ones below their label', () => {
    const entries = [
      { label: 'kernel', text: '6.1' },
      { label: 'conntrackd', text: '1.4.7' },
      { label: 'rules', text: 'table x {\n}' },
    ];
    expect(reportText('head', [{ title: 'All', entries }])).toBe(
      'head\n\nAll\n  kernel      6.1\n  conntrackd  1.4.7\n  rules:\n    table x {\n    }',
    );
  });

  it('says why something could not be read', async () => {
    const entry = await entryOf('rules', () => Promise.reject(new Error('you must be root')));
    expect(entry).toEqual({ label: 'rules', text: 'not read: you must be root' });
  });
});

it('tells the configuration without anything of the key', () => {
  const config = clusterConfig();
  const text = JSON.stringify(configurationSection(config, node));
  expect(text).toContain('fw1 (id 1) of test');
  expect(text).toContain('replicas: kernel');
  expect(text).not.toContain(config.sync.key);
});

it('names each interface by its name on this node, with its use', async () => {
  const { entries } = await hardwareSection(clusterConfig(), node);
  const labels = entries.map(({ label }) => label);
  expect(labels).toEqual(['processors', 'memory', 'nowhere0 (inside)', 'eth2 (outside)', 'eth3 (sync)']);
  expect(entries[2]?.text).toBe('not read: /sys/class/net/nowhere0 is not there');
});

it.each([
  ['keepalived', ['keepalived']],
  ['pacemaker', ['pacemakerd', 'corosync']],
  ['none', []],
] as const)('tells the versions with manager %s, its own from package.json', async (manager, programs) => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8'));
  const { entries } = await versionsSection(manager);
  expect(entries[0]).toEqual({ label: 'conntrack-ha', text: version });
  expect(entries.map(({ label }) => label)).toEqual([
    ...['conntrack-ha', 'node', 'kernel', 'nft', 'conntrackd'],
    ...programs,
  ]);
});

describe('counters', () => {
  const listing = `table netdev conntrack_ha {
	chain decide {
		counter packets 12 bytes 900 meta priority set none comment "filtered by this node"
	}
	chain six {
		counter packets 30 bytes 900 meta priority set none comment "filtered by this node"
		counter packets 7 bytes 900 drop comment "something else"
	}
}`;

  it('are summed over the rules of the same comment', () => {
    expect(countOf(listing, 'filtered by this node')).toBe('42');
  });

  it('are not made up where there are none', () => {
    expect(countOf(listing, 'another node filters these')).toMatch(/^not read: /);
    expect(countOf(listing.replace('counter packets 30', 'quota'), 'filtered by this node')).toMatch(
      /^not read: /,
    );
  });

  it('are summed over the processors, each by its whole name', () => {
    const text = `cpu=0   	found=1 invalid=2 insert=0 insert_failed=3 drop=4 early_drop=10 error=0 search_restart=0 clash_resolve=0
cpu=1   	found=1 invalid=5 insert=9 insert_failed=0 drop=1 early_drop=0 error=6 search_restart=0 clash_resolve=0`;
    expect(sumsOf(text)).toBe('invalid 7, insert_failed 3, drop 5, early_drop 10, error 6, clash_resolve 0');
  });
});
