/** A configuration without a mistake; the tests change single lines of it. */
export const SAMPLE = `cluster: edge
seed: 0xdeadbeef
buckets: 64
nodes:
  fw1: { id: 1, sync: 10.99.0.1 }
  fw2: { id: 2, sync: 10.99.0.2, devices: { eth1: enp3s0 } }
sync:
  interface: eth3
interfaces:
  eth1:
    side: inside
    mac: "01:00:5e:00:01:01"
    addresses: [192.168.0.5/24]
  eth2:
    side: outside
    mac: "01:00:5e:00:01:02"
    addresses: [192.168.1.5/24]
    snat: [192.168.1.5]
keepalived:
  vrid: 50
`;

/** SAMPLE with its line `line` (from 1) replaced by `text`, which may be several lines or, undefined, none. */
export const changed = (line: number, text?: string): string =>
  SAMPLE.split('\n')
    .flatMap((old, index) => (index !== line - 1 ? [old] : text === undefined ? [] : [text]))
    .join('\n');
