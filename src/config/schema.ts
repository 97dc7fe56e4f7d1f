import * as z from 'zod';
import { anyAddress, interfaceAddress, ipv4Address, multicastAddress, network } from './addresses.ts';
import { choice, truth, wholeNumber } from './leaf.ts';
import { sharedMac } from './mac.ts';
import { ports } from './ports.ts';
import { advert, buckets, deviceName, duration, hostLabel, lease, path, seed } from './values.ts';

// Each section's keys are listed once; below, they are put together twice: as the file must be, and as what is left
// of a file when everything wrong has been taken out of it.

const top = {
  cluster: hostLabel,
  seed: seed.prefault(0xdeadbeef),
  // By default what the firewall asks for; so is the lease.
  buckets: buckets.optional(),
  firewall: choice(['nftables', 'xtables']).prefault('nftables'),
  prefilter: truth.prefault(false),
  manager: choice(['keepalived', 'pacemaker', 'none']).prefault('keepalived'),
};

const node = {
  id: wholeNumber('a node id', 1, 255),
  sync: ipv4Address('states and messages go between the nodes over IPv4'),
  devices: z.record(z.string(), deviceName).prefault({}),
};

const sync = {
  interface: deviceName,
  // By default what the number of nodes asks for.
  mode: choice(['ftfw', 'notrack'], {
    alarm: 'it resends all states every few seconds instead of acknowledging them',
  }).optional(),
  multicast: multicastAddress.prefault('225.0.0.50'),
  replicas: choice(['kernel', 'cache']).prefault('kernel'),
  // Agents use the port above.
  port: wholeNumber('a port with another one above it', 1, 65534).prefault(3780),
  key: path(4095).prefault('/etc/conntrack-ha/key'),
};

const networkInterface = {
  side: choice(['inside', 'outside']),
  // By default, as the VRID of the first group, derived from the cluster's name.
  mac: sharedMac.optional(),
  delivery: choice(['multicast', 'igmp', 'stealth'], {}, { unicast: 'stealth' }).prefault('multicast'),
  probe: ipv4Address('the neighbour is asked by a ping over IPv4').optional(),
};

const service = {
  protocol: choice(['tcp', 'udp']),
  // By default the server's own, untranslated.
  address: anyAddress.optional(),
  port: ports,
  to: anyAddress,
  // By default the same as `port`.
  toPort: ports.optional(),
};

const helper = choice(['ftp', 'sip', 'tftp']);

const keepalived = {
  interface: deviceName.optional(),
  advert: advert.prefault(0.1),
  vrid: wholeNumber('a VRID', 1, 255).optional(),
};

const pacemaker = {
  linger: duration('positive').prefault('1s'),
};

const log = {
  level: choice(['debug', 'info', 'warn', 'error']).prefault('info'),
  format: choice(['auto', 'json', 'text']).prefault('auto'),
};

const timeouts = {
  conntrackd: duration('positive').prefault('2s'),
  peer: duration('positive').prefault('1s'),
  sync: duration('positive').prefault('30s'),
  disagree: duration('positive').prefault('2s'),
  holddown: duration('or zero').prefault('0s'),
  lease: lease.optional(),
};

// A UNIX socket's path has room for 107 bytes and the null (unix(7)); the agent's sockets are in `run`.
const paths = {
  run: path(80).prefault('/run/conntrack-ha'),
  conntrackd: path(107).prefault('/var/run/conntrackd.sock'),
  conntrackdConf: path(4095).prefault('/etc/conntrackd/conntrackd.conf'),
  keepalivedConf: path(4095).prefault('/etc/keepalived/keepalived.conf'),
};

/** The configuration as it must be. */
export const whole = z.strictObject({
  ...top,
  nodes: z.record(z.string(), z.strictObject(node)),
  sync: z.strictObject(sync),
  interfaces: z.record(
    z.string(),
    z.strictObject({
      ...networkInterface,
      addresses: z.array(interfaceAddress),
      snat: z.array(anyAddress).prefault([]),
      networks: z.array(network).prefault([]),
    }),
  ),
  publish: z.record(z.string(), z.strictObject(service)).prefault({}),
  helpers: z.array(helper).prefault([]),
  keepalived: z.strictObject(keepalived).prefault({}),
  pacemaker: z.strictObject(pacemaker).prefault({}),
  log: z.strictObject(log).prefault({}),
  timeouts: z.strictObject(timeouts).prefault({}),
  paths: z.strictObject(paths).prefault({}),
});

/** What is left of a faulty configuration: anything may be missing, what is there is right by itself. */
export const remains = z
  .strictObject({
    ...top,
    nodes: z.record(z.string(), z.strictObject(node).partial()),
    sync: z.strictObject(sync).partial(),
    interfaces: z.record(
      z.string(),
      z
        .strictObject({
          ...networkInterface,
          addresses: z.array(interfaceAddress.optional()),
          snat: z.array(anyAddress.optional()),
          networks: z.array(network.optional()),
        })
        .partial(),
    ),
    publish: z.record(z.string(), z.strictObject(service).partial()),
    helpers: z.array(helper.optional()),
    keepalived: z.strictObject(keepalived).partial(),
    pacemaker: z.strictObject(pacemaker).partial(),
    log: z.strictObject(log).partial(),
    timeouts: z.strictObject(timeouts).partial(),
    paths: z.strictObject(paths).partial(),
  })
  .partial();

export type Whole = z.output<typeof whole>;
export type Remains = z.output<typeof remains>;

/** What a section is, for the errors: its keys, unless they are names, and how it is written. */
export interface Section {
  readonly keys: readonly string[] | undefined;
  readonly example: string;
}

const section = (shape: Readonly<Record<string, unknown>>, example: string): Section => ({
  keys: Object.keys(shape),
  example,
});

const NODE = '{ id: 1, sync: 10.99.0.1 }';
const INTERFACE = '{ side: inside, addresses: [192.168.0.5/24] }';

const SERVICE = '{ protocol: tcp, address: 192.168.1.5, port: 443, to: 192.168.0.80 }';

/** The sections by their paths, where `*` is a name. */
export const SECTIONS: ReadonlyMap<string, Section> = new Map([
  ['', section(whole.shape, 'keys such as cluster, nodes, sync, interfaces')],
  ['nodes', { keys: undefined, example: `{ fw1: ${NODE}, fw2: ... }` }],
  ['nodes.*', section(node, NODE)],
  ['nodes.*.devices', { keys: undefined, example: '{ eth1: enp3s0 }' }],
  ['sync', section(sync, '{ interface: eth3 }')],
  ['interfaces', { keys: undefined, example: `{ eth1: ${INTERFACE}, eth2: ... }` }],
  ['interfaces.*', section({ ...networkInterface, addresses: 0, snat: 0, networks: 0 }, INTERFACE)],
  ['interfaces.*.addresses', { keys: undefined, example: '[192.168.0.5/24]' }],
  ['interfaces.*.snat', { keys: undefined, example: '[192.168.1.5]' }],
  ['interfaces.*.networks', { keys: undefined, example: '[192.168.0.0/24]' }],
  ['publish', { keys: undefined, example: `{ web: ${SERVICE} }` }],
  ['publish.*', section(service, SERVICE)],
  ['helpers', { keys: undefined, example: '[ftp]' }],
  ['keepalived', section(keepalived, '{ interface: eth1, advert: 0.1 }')],
  ['pacemaker', section(pacemaker, '{ linger: 1s }')],
  ['log', section(log, '{ level: info, format: auto }')],
  ['timeouts', section(timeouts, '{ peer: 1s }')],
  ['paths', section(paths, '{ run: /run/conntrack-ha }')],
]);
