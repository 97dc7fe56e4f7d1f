import { afterEach, beforeEach, expect, it } from 'vitest';
import { renderConntrackd } from '../../src/conntrackd/render.ts';
import { nodeNamed } from '../kernel/dataplane/cluster-config.ts';
import { until } from '../lab/rig/wait.ts';
import { addressOf, Crossing, type NodeName, SERVER, sourcesOf } from './rig/crossing.ts';
import { serveFiles } from './rig/file-server.ts';
import { FtpSession } from './rig/ftp-session.ts';
import { ADMINISTRATOR, helpersConfig, ownedBy, ownerOf } from './rig/helpers-config.ts';

const NODES = ['fw1', 'fw2'] as const;

let crossing: Crossing;
beforeEach(async () => {
  crossing = await Crossing.build();
  await serveFiles(crossing.hosts.wan);
  await Promise.all(
    Object.values(crossing.nodes).map((node) => node.run(['nft', '-f', '-'], { input: ADMINISTRATOR })),
  );
}, 60_000);
afterEach(() => crossing?.remove());

const config = (snat: boolean) => helpersConfig({ snat });

const startConntrackd = async (name: NodeName, snat: boolean) => {
  const node = crossing.nodes[name];
  const own = (['lan', 'wan', 'dmz'] as const).map((side) =>
    addressOf(side, 'ip', name === 'fw1' ? 251 : 252),
  );
  const whole = config(snat);
  await node.run(['tee', '/run/conntrackd.conf'], {
    input: renderConntrackd(
      { ...whole, paths: { ...whole.paths, conntrackd: '/run/ctd.sock' } },
      nodeNamed(whole, name),
      own,
    ),
  });
  const daemon = await node.spawn('conntrackd', ['conntrackd', '-C', '/run/conntrackd.conf']);
  await until(
    `conntrackd of ${name}`,
    () => daemon.output().catch(() => ''),
    10_000,
    (text) => /starting in console mode/.test(text),
  );
  return daemon;
};

const login = (source: string): FtpSession => {
  const file = crossing.programLine('ftp-program', []).at(-1) ?? '';
  return new FtpSession(crossing.hosts.lan, file, addressOf('wan', 'ip', SERVER), source);
};

/** Waits until a node's kernel expects so many connections of a client's. */
const expecting = (name: NodeName, client: string, count: number): Promise<unknown> =>
  until(
    `expectations of ${client} at ${name}`,
    () => crossing.nodes[name].run(['conntrack', '-L', 'expect']),
    5000,
    (text) => text.split('\n').filter((line) => line.includes(`master-src=${client} `)).length === count,
  );

// Not PORT with SNAT: see "What a takeover keeps" in docs/helpers.md.
it.each([
  { how: 'PASV', snat: true },
  { how: 'PORT', snat: false },
  { how: 'EPSV', snat: false },
] as const)(
  'what was agreed on by $how with a node that then dies is done through the next, and more, with SNAT $snat',
  async ({ how, snat }) => {
    const whole = config(snat);
    const owned = ownedBy(whole);
    const daemons = await Promise.all(NODES.map((name) => startConntrackd(name, snat)));
    await crossing.load(whole, owned);
    const source = sourcesOf('lan', 'ip').find((one) => ownerOf(owned, one) === 'fw1') ?? '';
    const session = login(source);
    await session.loggedIn();
    // Of an earlier transfer nothing is left to expect.
    await session.agree('PORT');
    await session.fetch();
    await expecting('fw2', source, 0);
    await session.agree(how);
    await expecting('fw1', source, 1);
    await expecting('fw2', source, 1);

    // PORT names another address outside, and a shorter one.
    expect(await crossing.refresh('fw1', whole)).toBe(snat ? 1 : 0);
    // What is replicated later than that is there: so is that.
    const later = login(source);
    await later.loggedIn();
    const established = () =>
      crossing.nodes.fw2.run(['conntrack', '-L', '-p', 'tcp', '--state', 'ESTABLISHED', '-s', source]);
    await until(
      'the later session at fw2',
      established,
      5000,
      (text) => text.match(/dport=21 /g)?.length === 2,
    );

    await daemons[0]?.kill('SIGKILL');
    await crossing.nodes.fw1.ip(['link set eth1 down', 'link set eth2 down', 'link set eth4 down']);
    await crossing.own('fw2', whole, [...owned.fw1, ...owned.fw2]);
    await session.fetch();
    for (const next of ['PORT', 'PASV', 'EPRT', 'EPSV'] as const) {
      await session.agree(next);
      await session.fetch();
    }
    await session.end();
    await later.agree('PASV');
    await later.fetch();
    await later.end();
    const flows = await crossing.nodes.fw2.run(['conntrack', '-L', '-s', source]);
    expect(flows).toMatch(/dport=21 .*helper=ftp/);
  },
);
