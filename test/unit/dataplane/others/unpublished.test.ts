import { describe, expect, it } from 'vitest';
import type { ClusterConfig } from '../../../../src/config/types.ts';
import type { DestinationNat } from '../../../../src/dataplane/others/destination-nat.ts';
import { unpublished } from '../../../../src/dataplane/others/unpublished.ts';
import { clusterConfig, nodeNamed } from '../../../kernel/dataplane/cluster-config.ts';

const port = (first: number, last = first) => ({ first, last });
const config = clusterConfig({ snat: true });
const rule: DestinationNat = {
  where: 'table ip admin, chain pre',
  devices: ['eth2'],
  protocols: ['tcp'],
  addresses: ['192.168.1.5'],
  ports: [port(443)],
  to: '192.168.0.80',
  toPort: 8443,
};

const at = (device: string, address: string, prefix: number) => ({
  device,
  address,
  prefix,
  deprecated: false,
});
const LOCAL = [at('eth1', '192.168.0.251', 24), at('docker0', '10.88.0.1', 16), at('cni0', '10.0.0.1', 8)];

const found = (change: Partial<DestinationNat> = {}, other: Partial<ClusterConfig> = {}) => {
  const all = { ...config, ...other };
  return unpublished(all, nodeNamed(all, 'fw1'), [{ ...rule, ...change }], LOCAL);
};

describe('a translated destination inside that isn’t published', () => {
  it('is named, with the entry that would serve it', () => {
    expect(found()).toEqual([
      {
        code: 'unpublished-dnat',
        object: 'tcp 192.168.1.5:443',
        text: expect.stringMatching(
          /^table ip admin, chain pre translates tcp 192\.168\.1\.5:443 to 192\.168\.0\.80:8443, which isn't published: .*; take the rule away and publish it in cluster\.yaml; publishing serves every client, so what else the rule asks, such as sources, goes into your filter: tcp-8443: \{ protocol: tcp, address: 192\.168\.1\.5, port: 443, to: 192\.168\.0\.80, toPort: 8443 \}$/,
        ),
      },
    ]);
  });

  it.each<[string, Partial<DestinationNat>, RegExp]>([
    ['both protocols', { protocols: undefined }, /protocol: tcp/],
    ['a port of a bucket’s', { ports: [port(8080)] }, /port: PORT, .*toPort: 8443/],
    [
      'an address that isn’t shared',
      { addresses: ['192.168.1.77'] },
      /\(192\.168\.1\.77 is no shared address\): .*address: 192\.168\.1\.5/,
    ],
    ['any address', { addresses: undefined }, /tcp any address, port 443 to .*address: 192\.168\.1\.5/],
    ['a range', { ports: [port(50, 60)], toPort: undefined }, /port: "50-60", to: 192\.168\.0\.80 \}/],
  ])('is named by what it is of: %s', (_, change, text) => {
    expect(found(change)[0]?.text).toMatch(text);
  });

  it('is not to be published outside if it is for clients inside', () => {
    const dns = { protocols: ['udp'], ports: [port(53)], to: '192.168.0.53', toPort: undefined };
    const [forced] = found({ ...dns, devices: ['eth1'], addresses: undefined });
    expect(forced?.object).toBe('udp any address, port 53');
    expect(forced?.text).toMatch(/take the rule away and have those clients told the server's own address/);
    expect(forced?.text).not.toMatch(/address: /);
    expect(found({ ...dns, devices: ['eth*'] })[0]?.text).toMatch(/cluster\.yaml.*address: 192\.168\.1\.5/);
  });

  it('is told from what this machine is connected with by another interface', () => {
    const [inside, outside] = config.interfaces;
    if (inside === undefined || outside === undefined) throw new Error('no interfaces');
    const interfaces = [{ ...inside, networks: ['192.168.0.0/24', '10.0.0.0/8'] }, outside];
    expect(found({ to: '10.88.0.2' }, { interfaces })).toEqual([]);
    expect(found({ to: '10.89.0.2' }, { interfaces })).toHaveLength(1);
    expect(found({ to: '192.168.0.80' }, { interfaces })).toHaveLength(1);
  });

  it('is named for each protocol and port', () => {
    const objects = found({ protocols: undefined, ports: [port(80), port(443)] }).map(({ object }) => object);
    expect(objects).toEqual(
      ['tcp', 'udp'].flatMap((one) => [80, 443].map((number) => `${one} 192.168.1.5:${number}`)),
    );
  });
});

describe('nothing is said', () => {
  it.each<[string, Partial<DestinationNat>]>([
    ['of a server that isn’t inside', { to: '172.17.0.2' }],
    ['of the firewall itself', { to: '192.168.0.251' }],
    ['of a shared address', { to: '192.168.0.5' }],
    ['of another protocol', { protocols: ['icmp'] }],
    ['of what comes in elsewhere', { devices: ['docker0'] }],
    ['of what isn’t an address', { to: '@somewhere' }],
  ])('%s', (_, change) => {
    expect(found(change)).toEqual([]);
  });

  it('of what is published', () => {
    const publish: ClusterConfig['publish'] = [
      {
        name: 'web',
        protocol: 'tcp',
        address: '192.168.1.5',
        ports: port(443),
        to: '192.168.0.80',
        toPorts: port(8443),
      },
    ];
    expect(found({}, { publish })).toEqual([]);
    expect(found({ to: '192.168.0.81' }, { publish })).toHaveLength(1);
  });

  it('between networks inside where both directions go by the client all the same', () => {
    const [inside, outside] = config.interfaces;
    if (inside === undefined || outside === undefined) throw new Error('no interfaces');
    const dmz = {
      ...inside,
      name: 'eth4',
      networks: ['192.168.2.0/24'],
      addresses: [{ address: '192.168.2.5', prefix: 24 }],
    };
    const interfaces = [inside, dmz, outside];
    const toDmz = { devices: ['eth1'], to: '192.168.2.80' };
    expect(found(toDmz, { interfaces })).toEqual([]);
    expect(found({ ...toDmz, devices: ['eth*'] }, { interfaces })).toHaveLength(1);
    expect(found({ devices: ['eth4'] }, { interfaces })).toHaveLength(1);
  });
});
