import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import type { Section } from './report.ts';

/** What of the configuration matters to somebody who wants to understand figures or a failure. Nothing of the key. */
export const configurationSection = (config: ClusterConfig, node: NodeConfig): Section => {
  const { sync, timeouts } = config;
  return {
    title: 'Configuration',
    entries: [
      { label: 'this node', text: `${node.name} (id ${node.id}) of ${config.cluster}` },
      { label: 'nodes', text: config.nodes.map(({ name }) => name).join(', ') },
      { label: 'buckets', text: String(config.buckets) },
      { label: 'firewall', text: config.firewall },
      { label: 'manager', text: config.manager },
      { label: 'sync', text: `${sync.interface}, ${sync.mode}, replicas: ${sync.replicas}` },
      ...config.interfaces.map(({ name, side, delivery, addresses, snat, mac }) => ({
        label: name,
        text: [
          side,
          `delivery ${delivery}`,
          mac,
          ...addresses.map(({ address, prefix }) => `${address}/${prefix}`),
          ...(snat.length === 0 ? [] : [`SNAT to ${snat.join(', ')}`]),
        ].join(', '),
      })),
      ...(config.publish.length === 0
        ? []
        : [{ label: 'published', text: config.publish.map(({ name }) => name).join(', ') }]),
      {
        label: 'timeouts, ms',
        text: Object.entries(timeouts)
          .map(([name, value]) => `${name} ${value}`)
          .join(', '),
      },
    ],
  };
};
