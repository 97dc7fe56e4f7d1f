import { describe, expect, it } from 'vitest';
import { groupsOf } from '../../../src/cluster/groups.ts';
import type { ClusterConfig } from '../../../src/config/types.ts';
import { renderKeepalived } from '../../../src/managers/keepalived/render.ts';
import { clusterConfig } from '../../support/cluster-config.ts';

const render = (config: ClusterConfig, index: number): string => {
  const node = config.nodes[index];
  if (node === undefined) {
    throw new RangeError(`no node ${index}`);
  }
  return renderKeepalived(config, node, groupsOf(config), (hook) => `/opt/conntrack-ha/hooks/${hook}`);
};

/** The lines between `vrrp_instance NAME {` and its end. */
const instance = (text: string, name: string): string =>
  new RegExp(`^vrrp_instance ${name} {\n(.*?)^}`, 'ms').exec(text)?.[1] ?? '';

describe('renderKeepalived', () => {
  it('prefers the home of each group, by less than what an unready node loses', () => {
    const [first, second] = [render(clusterConfig(), 0), render(clusterConfig(), 1)];
    expect(instance(first, 'fw1_fw2')).toMatch(/^ {2}priority 150$/m);
    expect(instance(first, 'fw2_fw1')).toMatch(/^ {2}priority 100$/m);
    expect(instance(second, 'fw1_fw2')).toMatch(/^ {2}priority 100$/m);
    expect(instance(second, 'fw2_fw1')).toMatch(/^ {2}priority 150$/m);
    expect(first).toMatch(/^ {2}init_file -100 overwrite$/m);
  });

  it('prefers every ready node of sixteen to a home that is not, in the order of the group', () => {
    const nodes = Array.from({ length: 16 }, (_, index) => ({
      name: `fw${index + 1}`,
      id: index + 1,
      sync: `10.99.0.${index + 1}`,
      devices: {},
    }));
    const config = clusterConfig({
      nodes,
      buckets: 256,
      keepalived: { interface: 'eth1', advert: 0.1, vrid: 1 },
    });
    const priorities = nodes.map((_, index) =>
      Number(/^ {2}priority (\d+)$/m.exec(instance(render(config, index), 'fw1_fw2'))?.[1]),
    );
    const [order = []] = groupsOf(config).map((group) => group.order);
    const inOrder = order.map((name) => priorities[nodes.findIndex((node) => node.name === name)] ?? 0);
    expect(inOrder).toEqual([...new Set(inOrder)].sort((one, other) => other - one));
    expect(inOrder.at(-1)).toBeGreaterThan(150 - 100);
  });

  it('gives a group the same virtual router on both nodes, and each one its own', () => {
    const config = clusterConfig({ keepalived: { interface: 'eth1', advert: 0.1, vrid: 70 } });
    for (const index of [0, 1]) {
      expect(instance(render(config, index), 'fw1_fw2')).toMatch(/^ {2}virtual_router_id 70$/m);
      expect(instance(render(config, index), 'fw2_fw1')).toMatch(/^ {2}virtual_router_id 71$/m);
    }
  });

  it('uses the name that the node has for the interface', () => {
    const [one, two] = clusterConfig().nodes;
    if (one === undefined || two === undefined) {
      throw new RangeError('two nodes expected');
    }
    const config = clusterConfig({ nodes: [one, { ...two, devices: { eth1: 'enp3s0' } }] });
    expect(instance(render(config, 0), 'fw1_fw2')).toMatch(/^ {2}interface eth1$/m);
    expect(instance(render(config, 1), 'fw1_fw2')).toMatch(/^ {2}interface enp3s0$/m);
  });

  it('lets only the agent’s files and FIFO connect the two', () => {
    const text = render(clusterConfig({ paths: { ...clusterConfig().paths, run: '/run/other' } }), 0);
    expect(text).toMatch(/^ {2}vrrp_notify_fifo \/run\/other\/keepalived\.fifo$/m);
    expect(text).toMatch(/^ {2}file "\/run\/other\/ready\/fw1_fw2"$/m);
    // A process an event would hold up keepalived, at the worst of times: one as it ends is all.
    expect(text.match(/^ *notify.*/gm)).toEqual(['  notify_stop "/opt/conntrack-ha/hooks/keepalived-stop"']);
    expect(text).toMatch(/^ {2}script "\/opt\/conntrack-ha\/hooks\/keepalived-check"$/m);
    for (const group of ['fw1_fw2', 'fw2_fw1']) {
      expect(instance(text, group)).toMatch(/^ {2}track_script \{\n {4}conntrack_ha$/m);
    }
  });
});
