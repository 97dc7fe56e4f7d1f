import { describe, expect, it } from 'vitest';
import { renderNftables } from '../../../src/dataplane/render.ts';
import { clusterConfig, nodeNamed } from '../../kernel/dataplane/cluster-config.ts';

const config = clusterConfig({ snat: true });
const fw1 = nodeNamed(config, 'fw1');
const render = (buckets: readonly number[] = [], timeout = 0) =>
  renderNftables(config, fw1, { buckets, timeout });

describe('renderNftables', () => {
  it('is closed unless told which buckets are owned', () => {
    expect(/set owned \{[^}]*\}/.exec(renderNftables(config, fw1))?.[0]).not.toContain('elements');
    expect(render([0, 31, 63])).toContain('elements = { 0:0, 0:1f, 0:3f }');
  });

  it('has the owned buckets time out if told so', () => {
    expect(/set owned \{[^}]*\}/.exec(render())?.[0]).toMatch(/size 256\s+flags timeout\s+\}/);
    expect(render([0, 63], 1500)).toContain('elements = { 0:0 timeout 1500ms, 0:3f timeout 1500ms }');
  });

  it('removes and makes only tables of its own', () => {
    const text = render();
    expect(text).not.toContain('flush');
    const tables = [...text.matchAll(/^(?:delete )?table (.*?)( \{.*)?$/gm)].map(([, name]) => name);
    expect([...new Set(tables)]).toEqual(['netdev conntrack_ha', 'ip conntrack_ha']);
  });

  it('uses the names that the node has for the interfaces', () => {
    const text = renderNftables(config, { ...fw1, devices: { eth1: 'lan0', eth2: 'wan0', eth3: 'ha0' } });
    expect(text).not.toMatch(/"eth\d"/);
    expect(text).toMatch(/ingress device "lan0"[\s\S]*ingress device "wan0"[\s\S]*iifname "ha0"/);
  });

  it('sorts answers by the port that SNAT gave, for every bucket the same range in both tables', () => {
    const text = render();
    expect(text).toMatch(/map bucket_of_port [\s\S]*1024-2031 : 0:0, [\s\S]*64528-65535 : 0:3f/);
    expect(text.match(/63 : 192\.168\.1\.5 \. 64528-65535/g)).toHaveLength(2);
  });

  it('has neither maps nor translation without SNAT', () => {
    const text = renderNftables(clusterConfig({ snat: false }), fw1);
    expect(text).not.toMatch(/bucket_of_|snat|translat/);
    expect(text).toContain('ip daddr { 192.168.1.5 } goto services');
  });

  it('takes the other nodes for peers, itself not', () => {
    expect(render()).toContain('ip saddr { 10.99.0.2 } ip daddr { 10.99.0.1 } udp dport 3780 notrack');
  });

  it('leaves what goes to all peers by multicast untracked as well', () => {
    const sync = { ...config.sync, mode: 'notrack' as const, multicast: '225.0.0.51' };
    expect(renderNftables({ ...config, sync }, fw1)).toContain(
      'ip daddr { 10.99.0.1, 225.0.0.51 } udp dport 3780 notrack',
    );
  });

  it.each(['inside', 'outside'] as const)('refuses a configuration without one %s interface', (side) => {
    const without = { ...config, interfaces: config.interfaces.filter((one) => one.side !== side) };
    expect(() => renderNftables(without, fw1)).toThrow(`expected one ${side} interface, got 0`);
    const twice = { ...config, interfaces: [...config.interfaces, ...config.interfaces] };
    expect(() => renderNftables(twice, fw1)).toThrow(RangeError);
  });
});
