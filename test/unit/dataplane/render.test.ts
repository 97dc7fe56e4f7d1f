import { describe, expect, it } from 'vitest';
import { renderNftables } from '../../../src/dataplane/render.ts';
import { clusterConfig, nodeNamed } from '../../kernel/dataplane/cluster-config.ts';

const config = clusterConfig({ snat: true });
const fw1 = nodeNamed(config, 'fw1');
const NO_LINKS = undefined;
const render = (buckets: readonly number[] = [], timeout = 0) =>
  renderNftables(config, fw1, NO_LINKS, { buckets, timeout });

describe('renderNftables', () => {
  it('is closed unless told which buckets are owned', () => {
    expect(/set owned \{[^}]*\}/.exec(renderNftables(config, fw1, NO_LINKS))?.[0]).not.toContain('elements');
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
    expect([...new Set(tables)]).toEqual(['netdev conntrack_ha', 'inet conntrack_ha']);
  });

  it('uses the names that the node has for the interfaces', () => {
    const text = renderNftables(
      config,
      { ...fw1, devices: { eth1: 'lan0', eth2: 'wan0', eth3: 'ha0' } },
      NO_LINKS,
    );
    expect(text).not.toMatch(/"eth\d"/);
    expect(text).toMatch(/ingress device "lan0"[\s\S]*ingress device "wan0"[\s\S]*iifname "ha0"/);
  });

  it('sorts answers by the port that SNAT gave, for every bucket the same range in both tables', () => {
    const text = render();
    const maps = /map ports_ip_1 \{[^}]*1024-2031 : 0:0, [^}]*64528-65535 : 0:3f/g;
    expect(text.match(maps)).toHaveLength(2);
    expect(text).toContain('meta l4proto { tcp, udp } snat ip to 192.168.1.5:64528-65535');
  });

  it('has neither maps nor translation without SNAT', () => {
    const text = renderNftables(clusterConfig({ snat: false }), fw1, NO_LINKS);
    expect(text).not.toMatch(/ports_ip|snat|translat/);
    expect(text).toMatch(/chain leg_2_ip \{[^}]*192\.168\.1\.5 : goto by_source_ip/);
  });

  describe('a published server behind the clients’ own interface', () => {
    const service = (to: string, address: string) => ({
      name: 'web',
      protocol: 'tcp' as const,
      address,
      ports: { first: 80, last: 80 },
      to,
      toPorts: { first: 8080, last: 8080 },
    });
    const rendered = (...publish: ReturnType<typeof service>[]) =>
      renderNftables({ ...config, publish }, fw1, NO_LINKS);

    it('has them translated to the shared address inside, and answers sorted by the port', () => {
      const text = rendered(service('192.168.0.80', '192.168.1.5'));
      expect(text).toMatch(/iifname "eth1" oifname "eth1" ct status dnat .* goto reflect_leg_1/);
      expect(text).toContain('meta l4proto { tcp, udp } snat ip to 192.168.0.5:1024-2031');
      expect(text.match(/ip daddr 192\.168\.0\.5 .*@servers_ip goto reflected_ip_leg_1/g)).toHaveLength(2);
      expect(text.match(/map ports_ip_leg_1 \{/g)).toHaveLength(2);
    });

    it('has them dropped where the interface shares no address of the family', () => {
      const inside = config.interfaces.map((one) =>
        one.side === 'inside' ? { ...one, networks: [...one.networks, 'fd00:1::/64'] } : one,
      );
      const publish = [service('fd00:1::80', 'fd00:9::5')];
      const text = renderNftables({ ...config, interfaces: inside, publish }, fw1, NO_LINKS);
      expect(/chain reflect_leg_1 \{[^}]*\}/.exec(text)?.[0]).toMatch(
        /^chain reflect_leg_1 \{\n +counter drop comment "[^"]*"\n +\}$/,
      );
    });

    it('is nothing to those that aren’t', () => {
      expect(rendered()).not.toMatch(/reflect/);
    });
  });

  it('takes the other nodes for peers, itself not', () => {
    expect(render()).toContain('ip saddr { 10.99.0.2 } ip daddr { 10.99.0.1 } udp dport 3780 notrack');
  });

  it('leaves what goes to all peers by multicast untracked as well', () => {
    const sync = { ...config.sync, mode: 'notrack' as const, multicast: '225.0.0.51' };
    expect(renderNftables({ ...config, sync }, fw1, NO_LINKS)).toContain(
      'ip daddr { 10.99.0.1, 225.0.0.51 } udp dport 3780 notrack',
    );
  });
});
