import { beforeEach, describe, expect, it, vi } from 'vitest';
import { StrangersWatch } from '../../../src/agent/strangers-watch.ts';
import type { Heard } from '../../../src/dataplane/heard.ts';
import { clusterConfig } from '../../support/cluster-config.ts';

const OWN = { macs: ['02:00:00:00:01:01'], addresses: ['192.168.0.241'] };
const PEERS = { macs: ['02:00:00:00:02:01'], addresses: ['192.168.0.242'] };
const OTHER = '02:00:00:00:99:01';
const NOBODY: Heard = { vrrp: [], neighbours: [], senders: [] };

const config = clusterConfig();
const [fw1] = config.nodes;
if (fw1 === undefined) throw new RangeError('no node');

let logged: string[];
let watch: StrangersWatch;
let heard: Heard;
let now: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
  logged = [];
  heard = NOBODY;
  now = 0;
  told = undefined;
  const log = {
    warn: (text: string) => void logged.push(`warning: ${text}`),
    info: (text: string) => void logged.push(text),
  };
  watch = new StrangersWatch(config, fw1, { listen: async () => heard, own: async () => OWN, log });
  return () => {
    watch.close();
    vi.useRealTimers();
  };
});

/** The watch looks for so many seconds, in which the peer goes on telling what it has told. */
const pass = async (seconds: number): Promise<void> => {
  if (now === 0) watch.begin();
  now += seconds;
  for (let second = 0; second < seconds; second += 1) {
    if (told !== undefined) watch.told('fw2', told.identity);
    await vi.advanceTimersByTimeAsync(1000);
  }
};

/** What fw2 says of itself from now on; undefined: it is silent. */
let told: { readonly identity: typeof OWN | undefined } | undefined;
const tell = (identity: typeof OWN | undefined): void => {
  told = { identity };
  watch.told('fw2', identity);
};

const named = (): readonly string[] => watch.warnings.map(({ code, object }) => `${code} ${object}`);
const router = (source: string, vrid = 50, priority = 150) => ({ source, vrid, priority });

describe('a router with our VRIDs', () => {
  it('is named with source, VRIDs, groups and priorities, once, and until five seconds after the rules have forgotten it', async () => {
    tell(PEERS);
    heard = { ...NOBODY, vrrp: [router('192.168.0.99'), router('192.168.0.99', 51, 100)] };
    await pass(1);
    expect(named()).toEqual([]);
    await pass(2);
    expect(named()).toEqual(['vrrp-stranger 192.168.0.99']);
    expect(watch.warnings[0]?.text).toBe(
      "192.168.0.99, no node of this cluster, speaks VRRP on eth1 with our VRID 50 (fw1_fw2) at priority 150 and 51 (fw2_fw1) at priority 100: where its priority is the higher one keepalived here yields to it, so nobody filters the group and its packets are dropped; give one of the two clusters another name or another keepalived.vrid, and render keepalived's configuration anew on its nodes",
    );
    await pass(5);
    expect(logged).toEqual([`warning: ${watch.warnings[0]?.text} [vrrp-stranger]`]);
    heard = NOBODY;
    await pass(4);
    expect(named()).toHaveLength(1);
    await pass(2);
    expect(named()).toEqual([]);
    expect(logged[1]).toBe('192.168.0.99 no longer speaks VRRP on eth1 with our VRIDs');
    expect(logged).toHaveLength(2);
  });

  it("isn't one of the nodes, by whatever address they have told, or have told before", async () => {
    tell(PEERS);
    tell({ macs: [], addresses: ['192.168.0.77'] });
    tell(undefined);
    const ours = ['192.168.0.241', '192.168.0.242', '192.168.0.77', '10.99.0.2', '192.168.0.5'];
    heard = { ...NOBODY, vrrp: ours.map((source) => router(source)) };
    await pass(60);
    expect(logged).toEqual([]);
  });

  it('may be a peer that was never heard: that is said, and not before ten seconds', async () => {
    heard = { ...NOBODY, vrrp: [router('192.168.0.242')] };
    await pass(9);
    expect(named()).toEqual([]);
    await pass(3);
    expect(watch.warnings[0]?.text).toMatch(
      /^192\.168\.0\.242, no node of this cluster unless it is fw2, which tells nothing of itself, speaks /,
    );
    tell(PEERS);
    await pass(1);
    expect(named()).toEqual([]);
  });

  it('may be a peer whose agent is of an older version: nothing is said, unless there is another one', async () => {
    tell(undefined);
    heard = { ...NOBODY, vrrp: [router('192.168.0.242')] };
    await pass(60);
    expect(logged).toEqual([]);
    heard = { ...NOBODY, vrrp: [router('192.168.0.242'), router('192.168.0.99')] };
    await pass(12);
    expect(named()).toHaveLength(2);
  });

  it('is one of several, of whom a peer that was never heard can be one only: that is said at once', async () => {
    heard = { ...NOBODY, vrrp: [router('192.168.0.242'), router('192.168.0.99')] };
    await pass(3);
    expect(named()).toHaveLength(2);
    expect(watch.warnings[1]?.text).toContain('unless it is fw2');
  });

  it('is nobody if it was there at one look only', async () => {
    tell(PEERS);
    heard = { ...NOBODY, vrrp: [router('192.168.0.99')] };
    await pass(1);
    heard = NOBODY;
    await pass(1);
    heard = { ...NOBODY, vrrp: [router('192.168.0.99')] };
    await pass(1);
    heard = NOBODY;
    await pass(60);
    expect(logged).toEqual([]);
  });
});

describe('a neighbour', () => {
  const says = (address: string, mac = OTHER, device = 'eth1') => ({ device, mac, address });

  it('that uses our MAC for another address, or says that ours is its own, is named', async () => {
    tell(PEERS);
    heard = {
      ...NOBODY,
      neighbours: [says('192.168.0.66'), says('192.168.0.5'), says('192.168.1.5', OTHER, 'eth2')],
    };
    await pass(3);
    expect(named()).toEqual([
      `mac-stranger ${OTHER} on eth1`,
      `address-stranger ${OTHER} on eth1`,
      `address-stranger ${OTHER} on eth2`,
    ]);
    expect(watch.warnings.map(({ text }) => text)).toEqual([
      "02:00:00:00:99:01, no node of this cluster, uses our shared MAC 01:00:5e:00:01:01 on eth1 for 192.168.0.66: each gets the other's packets, and may forward them a second time or refuse them; give one of the two clusters another name, or another interfaces.eth1.mac",
      '02:00:00:00:99:01, no node of this cluster, says on eth1 that our shared 192.168.0.5 is its own: hosts that believe it send their packets to it, or to both, and connections break; give one of the two another address',
      '02:00:00:00:99:01, no node of this cluster, says on eth2 that our shared 192.168.1.5 is its own: hosts that believe it send their packets to it, or to both, and connections break; give one of the two another address',
    ]);
  });

  it('is one for a minute, five seconds less, after the rules have forgotten it', async () => {
    tell(PEERS);
    heard = { ...NOBODY, neighbours: [says('192.168.0.66')] };
    await pass(3);
    heard = NOBODY;
    await pass(53);
    expect(named()).toHaveLength(1);
    await pass(4);
    expect(named()).toEqual([]);
    expect(logged[1]).toBe(`${OTHER} no longer uses our shared MAC on eth1`);
  });

  it('may be a peer with another interface while it is silent, and no more when it tells', async () => {
    tell(PEERS);
    await pass(3);
    told = undefined;
    heard = { ...NOBODY, neighbours: [says('192.168.0.5', '02:00:00:00:77:01')] };
    await pass(10);
    expect(named()).toEqual([]);
    await pass(4);
    expect(watch.warnings[0]?.text).toMatch(/ unless it is fw2, which tells nothing of itself, /);
    heard = NOBODY;
    tell({ ...PEERS, macs: ['02:00:00:00:77:01'] });
    await pass(1);
    expect(named()).toEqual([]);
  });

  it("isn't one of the nodes, whatever they say", async () => {
    tell(PEERS);
    const macs = [...OWN.macs, ...PEERS.macs];
    heard = {
      ...NOBODY,
      neighbours: macs.flatMap((mac) => [says('192.168.0.5', mac), says('192.168.0.66', mac)]),
    };
    await pass(60);
    expect(logged).toEqual([]);
  });
});

describe('another cluster', () => {
  it('is named by what its messages say, while they come', async () => {
    for (let second = 0; second < 4; second += 1) {
      watch.claimed('10.99.0.2', { cluster: 'other', node: 'gate1' });
      await pass(1);
    }
    expect(named()).toEqual(['other-cluster 10.99.0.2']);
    expect(watch.warnings[0]?.text).toBe(
      '10.99.0.2 sends the agent messages of the node gate1 of a cluster other: it is dropped; give each cluster a sync link on eth3, or sync addresses and a sync.port, of its own',
    );
    await pass(70);
    expect(named()).toEqual([]);
    expect(logged).toHaveLength(2);
  });

  it('is named also where it has our name and another key, or nothing can be read', async () => {
    for (let second = 0; second < 4; second += 1) {
      watch.claimed('10.99.0.2', { cluster: 'test', node: 'fw2' });
      watch.claimed('10.99.0.3', { cluster: 'a\nb', node: '\u001b[2J' });
      watch.claimed('10.99.0.4', { cluster: undefined, node: undefined });
      await pass(1);
    }
    expect(watch.warnings.map(({ text }) => text.split(':')[0])).toEqual([
      '10.99.0.2 sends the agent messages of the node fw2 of a cluster test, the name of this one, sealed with another key',
      "10.99.0.3 sends the agent messages that aren't sealed with this cluster's key",
      "10.99.0.4 sends the agent messages that aren't sealed with this cluster's key",
    ]);
  });

  it("is named by its address alone where it doesn't come through to the agent", async () => {
    heard = { ...NOBODY, senders: ['10.99.0.7'] };
    await pass(3);
    expect(named()).toEqual(['other-cluster 10.99.0.7']);
  });

  it('is named no more than a hundred times', async () => {
    for (let second = 0; second < 4; second += 1) {
      for (let host = 0; host < 500; host += 1)
        watch.claimed(`10.0.${host % 250}.${host}`, { cluster: 'x', node: 'y' });
      heard = { ...NOBODY, senders: Array.from({ length: 500 }, (_, host) => `10.1.${second}.${host}`) };
      await pass(1);
    }
    expect(named().length).toBeLessThanOrEqual(200);
  });
});

it('says once that it can see nothing, and goes on looking', async () => {
  let fails = true;
  const log = { warn: (text: string) => void logged.push(text), info: () => {} };
  const listen = async (): Promise<Heard> => {
    if (fails) throw new Error('the kernel is away');
    return { ...NOBODY, senders: ['10.99.0.7'] };
  };
  watch = new StrangersWatch(config, fw1, { listen, own: async () => OWN, log });
  await pass(3);
  fails = false;
  await pass(3);
  expect(logged).toEqual([
    "whether others use this cluster's VRIDs, MACs or ports can't be seen: the kernel is away",
    expect.stringContaining('10.99.0.7'),
  ]);
});
