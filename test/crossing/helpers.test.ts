import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterConfig } from '../../src/config/types.ts';
import {
  addressOf,
  Crossing,
  type Family,
  type NodeName,
  SERVER,
  SHARED,
  type Side,
  sourcesOf,
} from './rig/crossing.ts';
import { type Download, download } from './rig/download.ts';
import { FILE, serveFiles } from './rig/file-server.ts';
import { ADMINISTRATOR, GROUP_ADDRESSES, helpersConfig, ownedBy, ownerOf } from './rig/helpers-config.ts';

let crossing: Crossing;
beforeAll(async () => {
  crossing = await Crossing.build();
  await Promise.all([crossing.hosts.wan, crossing.hosts.dmz].map(serveFiles));
  const answering = crossing.programLine('sip-program', ['answer', addressOf('wan', 'ip', SERVER)]);
  await crossing.hosts.wan.spawn('sip', answering);
  await Promise.all(
    Object.values(crossing.nodes).map((node) => node.run(['nft', '-f', '-'], { input: ADMINISTRATOR })),
  );
}, 60_000);
afterAll(() => crossing?.remove());

const IPV4: readonly Download[] = ['PASV', 'EPSV', 'PORT', 'EPRT', 'TFTP'];
const IPV6: readonly Download[] = ['EPSV', 'EPRT', 'TFTP'];

const load = (config: ClusterConfig): Promise<void> => crossing.load(config, ownedBy(config));

/** What every source gets in each way, all at once. */
const downloads = async (
  from: Side['name'],
  sources: readonly string[],
  server: string,
  ways: readonly Download[],
): Promise<Readonly<Record<string, string>>> => {
  const all = ways.flatMap((how) => sources.map((source) => ({ how, source })));
  return Object.fromEntries(
    await Promise.all(
      all.map(async ({ how, source }) => [
        `${how} ${source}`,
        await download(crossing, from, source, server, how),
      ]),
    ),
  );
};

const whole = (sources: readonly string[], ways: readonly Download[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    ways.flatMap((how) => sources.map((source) => [`${how} ${source}`, String(FILE.bytes)])),
  );

/** A node's entries of data connections, a line each. */
const dataFlows = async (node: NodeName, family: Family): Promise<readonly string[]> => {
  const words = ['conntrack', '-L', '-f', family === 'ip' ? 'ipv4' : 'ipv6'];
  const lines = (await crossing.nodes[node].run(words)).split('\n');
  return lines.filter(
    (line) => line !== '' && !/^.*? src=\S+ dst=\S+ sport=\d+ dport=(21|69|5060) /.test(line),
  );
};

/** The data connections of each client are at its owner and nowhere else; with `snat` they have the owner's address outside. */
const expectOwners = async (
  config: ClusterConfig,
  family: Family,
  clients: readonly string[],
  snat = false,
): Promise<void> => {
  const owned = ownedBy(config);
  for (const node of ['fw1', 'fw2'] as const) {
    const mine = clients.filter((client) => ownerOf(owned, client) === node);
    expect(mine.length).toBeGreaterThan(0);
    const flows = await dataFlows(node, family);
    const found = flows.map((line) => clients.find((client) => line.includes(`=${client} `)));
    expect([...new Set(found)].sort()).toEqual([...mine].sort());
    for (const line of snat ? flows : []) expect(line).toContain(`dst=${GROUP_ADDRESSES[node]} `);
  }
};

describe.each([{ snat: true }, { snat: false }])('from inside, with SNAT $snat', ({ snat }) => {
  const config = helpersConfig({ snat });
  const server = addressOf('wan', 'ip', SERVER);
  const sources = sourcesOf('lan', 'ip');

  it('every client gets its files by FTP and TFTP, through its owner alone', async () => {
    await load(config);
    expect(await downloads('lan', sources, server, IPV4)).toEqual(whole(sources, IPV4));
    await expectOwners(config, 'ip', sources, snat);
  });

  it('every phone hears what it is sent first, and what it is answered, through its owner alone', async () => {
    await load(config);
    const calling = crossing.programLine('sip-program', ['call', server, ...sources]);
    const heard = JSON.parse(await crossing.hosts.lan.run(calling));
    const both = ['answer to question', 'greeting'];
    expect(heard).toEqual(Object.fromEntries(sources.map((source) => [source, both])));
    await expectOwners(config, 'ip', sources, snat);
  });
});

it('every client gets its files over IPv6, through its owner alone', async () => {
  const config = helpersConfig({ snat: false });
  await load(config);
  const sources = sourcesOf('lan', 'ip6');
  expect(await downloads('lan', sources, addressOf('wan', 'ip6', SERVER), IPV6)).toEqual(
    whole(sources, IPV6),
  );
  await expectOwners(config, 'ip6', sources);
});

it('every client outside gets the files of a published server, through its owner alone', async () => {
  const config = helpersConfig({ snat: true });
  await load(config);
  const sources = sourcesOf('wan', 'ip');
  expect(await downloads('wan', sources, addressOf('wan', 'ip', SHARED), IPV4)).toEqual(whole(sources, IPV4));
  await expectOwners(config, 'ip', sources);
});

it('without helpers nothing comes but over the control connection', async () => {
  await load({ ...helpersConfig({ snat: true }), helpers: [] });
  const [source = ''] = sourcesOf('lan', 'ip');
  const got = await downloads('lan', [source], addressOf('wan', 'ip', SERVER), IPV4);
  expect(Object.keys(got)).toHaveLength(IPV4.length);
  for (const text of Object.values(got)) expect(text).not.toContain(String(FILE.bytes));
});
