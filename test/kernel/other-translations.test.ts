import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { portRange } from '../../src/cluster/ranges.ts';
import { bucketOf } from '../lab/flows.ts';
import { clusterConfig } from './dataplane/cluster-config.ts';
import { CLIENTS, ECHO_PORT, Site } from './dataplane/site.ts';

/** Every kind of translation that an administrator's own rules may have for the cluster's flows. */

const config = clusterConfig({ snat: true });
const ALL = Array.from({ length: config.buckets }, (_, bucket) => bucket);

let site: Site;
beforeAll(async () => {
  site = await Site.build();
  await site.server.spawn('echo', site.echo(ECHO_PORT));
}, 60_000);
afterAll(() => site?.remove());
afterEach(async () => {
  await site.node({ action: 'unload', config, node: 'fw1' });
  await site.fw1.run(['nft', 'flush', 'ruleset']);
  await site.fw1.run(['conntrack', '-F']);
});

const NFT = `table ip admin {
  chain nat { type nat hook postrouting priority srcnat; oifname "eth2" masquerade; }
}`;
const theirs: Readonly<Record<string, () => Promise<unknown>>> = {
  'nft, masquerade': () => site.fw1.run(['nft', '-f', '-'], { input: NFT }),
  'nft, SNAT to the shared address': () =>
    site.fw1.run(['nft', '-f', '-'], { input: NFT.replace('masquerade', 'snat to 192.168.1.5') }),
  'iptables, MASQUERADE': () =>
    site.fw1.run('iptables -t nat -A POSTROUTING -o eth2 -j MASQUERADE'.split(' ')),
};

/** What flows from all clients were translated into, less what their buckets have. */
const strays = async (): Promise<readonly string[]> => {
  await site.ask();
  const flows = (await site.flows('fw1')).filter((line) => line.includes(`dport=${ECHO_PORT} `));
  expect(flows.length).toBeGreaterThanOrEqual(CLIENTS.length);
  return flows.filter((line) => {
    const source = /src=(192\.168\.0\.\d+)/.exec(line)?.[1] ?? '';
    const [, address, port] = /src=192\.168\.1\.2 dst=(\S+) sport=\d+ dport=(\d+)/.exec(line) ?? [];
    const { first, last } = portRange(bucketOf(source), config.buckets);
    return address !== '192.168.1.5' || Number(port) < first || Number(port) > last;
  });
};

describe.each(Object.keys(theirs))("an administrator's own %s of the same flows", (name) => {
  it.each(['before', 'after'])('loaded %s ours takes none out of its range', async (order) => {
    const other = theirs[name] ?? (() => Promise.reject(new Error(name)));
    if (order === 'before') await other();
    const { warnings } = await site.load('fw1', config, { owned: ALL });
    if (order === 'after') await other();
    expect(await strays()).toEqual([]);
    expect(warnings).toEqual([]);
  });
});

it('says so when one is to come first', async () => {
  await site.fw1.run(['nft', '-f', '-'], { input: NFT.replace('srcnat;', 'srcnat - 1;') });
  const { warnings } = await site.load('fw1', config, { owned: ALL });
  expect(warnings).toEqual([
    expect.stringMatching(/^table ip admin, chain nat \(priority 99\) translates before conntrack-ha/),
  ]);
});
