import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOWER, UPPER } from '../kernel/dataplane/site.ts';
import { crossingConfig } from './rig/config.ts';
import { bucketOfText, Crossing, SIDES, sourcesOf } from './rig/crossing.ts';
import { removeRules } from './rig/removed-rules.ts';
import { addFar, type Far, NARROW } from './rig/router.ts';

let crossing: Crossing;
/** Behind a router of the LAN and of the WAN. */
let far: Readonly<Record<'lan' | 'wan', Far>>;

beforeAll(async () => {
  crossing = await Crossing.build();
  far = { lan: await addFar(crossing, 'lan', 7), wan: await addFar(crossing, 'wan', 8) };
}, 60_000);
afterAll(async () => {
  await Promise.all(Object.values(far ?? {}).map(({ machine }) => machine.kill()));
  await crossing?.remove();
});

const FAMILIES = ['ip', 'ip6'] as const;
const HEADERS = { ip: 28, ip6: 48 } as const;

const configOf = (snat: boolean) => {
  const config = crossingConfig({ snat });
  const [lan, ...others] = config.interfaces;
  if (lan === undefined) throw new Error('no LAN');
  return {
    ...config,
    interfaces: [{ ...lan, networks: [...lan.networks, ...far.lan.networks] }, ...others],
  };
};

/** What `ping` says from one source. */
const ping = (side: 'lan' | 'wan', args: readonly string[]): Promise<string> =>
  crossing.hosts[side].run(['sh', '-c', '"$@" 2>&1 || :', 'ping', 'ping', ...args]);

/** Sources that have learnt the path's MTU from what a router told them. */
const learnt = async (side: 'lan' | 'wan', family: 'ip' | 'ip6', to: string): Promise<readonly string[]> => {
  const sources = sourcesOf(side, family);
  const size = String(1500 - HEADERS[family]);
  const probe = async (source: string): Promise<boolean> => {
    for (const version of ['-4', '-6'])
      await crossing.hosts[side].run(['ip', version, 'route', 'flush', 'cache']);
    const output = await ping(side, [
      '-c',
      '2',
      '-i',
      '0.2',
      '-W',
      '1',
      '-M',
      'do',
      '-s',
      size,
      '-I',
      source,
      to,
    ]);
    return new RegExp(`mtu[ =:]+${NARROW}|mtu=${NARROW}`, 'i').test(output);
  };
  const found: string[] = [];
  // One after another: what one learns all addresses of the host know.
  for (const source of sources) if (await probe(source)) found.push(source);
  return found;
};

describe.each([{ snat: false }, { snat: true }])('with SNAT $snat', ({ snat }) => {
  beforeAll(() => crossing.load(configOf(snat)), 30_000);

  it.each(FAMILIES)('a router outside tells the LAN what its link takes, %s', async (family) => {
    expect(await learnt('lan', family, far.wan[family])).toEqual(sourcesOf('lan', family));
  });

  it.each(FAMILIES)('a router outside tells the LAN that the time is up, %s', async (family) => {
    for (const source of sourcesOf('lan', family)) {
      // The firewall takes one hop, the router outside the second.
      const output = await ping('lan', ['-c', '1', '-W', '1', '-t', '2', '-I', source, far.wan[family]]);
      expect(output).toMatch(/time to live exceeded|Hop limit/i);
      expect(output).toMatch(new RegExp(`rom ${SIDES.wan.prefix[family]}`));
    }
  });
});

it.each(FAMILIES)('a router inside tells those outside what its link takes, %s', async (family) => {
  await crossing.load(configOf(false));
  expect(await learnt('wan', family, far.lan[family])).toEqual(sourcesOf('wan', family));
});

it.each(FAMILIES)('sorted as other packets are, errors from outside would be lost, %s', async (family) => {
  await crossing.load(configOf(true));
  await removeRules(crossing, '_errors');
  expect(await learnt('lan', family, far.wan[family])).toEqual([]);
});

it.each(FAMILIES)('sorted as other packets are, errors from inside would be lost, %s', async (family) => {
  // The flows are one node's, and what the router's address comes to is the other's.
  const flows = bucketOfText(far.lan[family]);
  const others = [...LOWER, ...UPPER].filter((bucket) => bucket !== flows);
  await crossing.load(configOf(false), { fw1: [flows], fw2: others });
  await removeRules(crossing, '_errors');
  expect(await learnt('wan', family, far.lan[family])).toEqual([]);
});
