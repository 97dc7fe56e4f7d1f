import { describe, expect, it } from 'vitest';
import { renderConntrackd } from '../../../src/conntrackd/render.ts';
import { differences, traitsOf, traitsOfFile } from '../../../src/conntrackd/traits.ts';
import { EXTERNAL_CACHE, QUEUE, STATISTICS } from './answers.ts';
import { edge, fw1 } from './cluster.ts';

const WANTED = traitsOfFile(renderConntrackd(edge, fw1));
const MULTICAST = renderConntrackd({ ...edge, sync: { ...edge.sync, mode: 'notrack' } }, fw1);
const SIGHT = {
  statistics: STATISTICS,
  queue: QUEUE,
  endpoints: ['10.99.0.1:3780'],
  interfaces: ['lo', 'eth3', 'eth7'],
};

/** Where a conntrackd that answers differs from what the cluster needs. */
const seen = (change: Partial<typeof SIGHT>): readonly string[] =>
  differences(traitsOf({ ...SIGHT, ...change }), WANTED);

describe('a conntrackd that runs', () => {
  it('with what is rendered differs in nothing', () => {
    expect(seen({})).toEqual([]);
    expect(
      differences(
        traitsOf({
          statistics: STATISTICS.replace('UDP traffic', 'multicast traffic'),
          queue: QUEUE.replace(/queue rsqueue:\n(.+\n)+/, ''),
          endpoints: ['0.0.0.0:50206', '0.0.0.0:3780'],
          interfaces: SIGHT.interfaces,
        }),
        traitsOfFile(MULTICAST),
      ),
    ).toEqual([]);
  });

  it.each([
    [
      'a section Stats',
      { statistics: 'cache stats:\ncurrent active connections:\t0\n' },
      'it counts connections and replicates none (section Stats)',
    ],
    ['another mode', { queue: QUEUE.replace('rsqueue', 'x') }, 'Mode NOTRACK or ALARM instead of FTFW'],
    [
      'an external cache',
      { statistics: STATISTICS.replace(/external inject:\n(.+\n)+/, EXTERNAL_CACHE) },
      'DisableExternalCache off instead of on',
    ],
    [
      'no internal cache',
      { statistics: STATISTICS.replace('cache internal:', 'internal bypass:') },
      'DisableInternalCache on instead of off',
    ],
    [
      'another device',
      { statistics: STATISTICS.replace('=eth3', '=eth7') },
      'dedicated link UDP eth7 instead of UDP eth3',
    ],
    [
      'another port',
      { endpoints: ['10.99.0.1:3790'] },
      'bound to UDP 10.99.0.1:3790 instead of 10.99.0.1:3780',
    ],
  ])('with %s differs in that', (_, change, phrase) => {
    expect(seen(change)).toEqual([phrase]);
  });

  it('by multicast, on an interface that was removed, is named: it hears nobody', () => {
    const statistics = STATISTICS.replace('UDP traffic', 'multicast traffic').replace('=eth3', '=G');
    const queue = QUEUE.replace(/queue rsqueue:\n(.+\n)+/, '');
    const endpoints = ['0.0.0.0:3780'];
    expect(
      differences(traitsOf({ ...SIGHT, statistics, queue, endpoints }), traitsOfFile(MULTICAST)),
    ).toEqual(['dedicated link multicast on an interface that was removed instead of Multicast eth3']);
  });

  it.each([
    ['a device that was removed', { statistics: STATISTICS.replace('=eth3', '=') }],
    ['what it prints of one that was removed', { statistics: STATISTICS.replace('=eth3', '=G') }],
    ['interfaces that cannot be seen', { interfaces: [] }],
    ['endpoints that cannot be seen', { endpoints: undefined }],
    ['no endpoints', { endpoints: [] }],
    ['an answer of something else', { statistics: 'Hello World\n' }],
    ['nothing', { statistics: '' }],
  ])('is not accused for %s', (_, change) => {
    expect(differences(traitsOf({ ...SIGHT, ...change }), WANTED)).toEqual([]);
  });
});

describe('a conntrackd.conf', () => {
  it.each([
    ['Stats { LogFile on }', { section: 'Stats' }],
    ['', {}],
    ['Sync { Mode ALARM { } }', { Mode: 'NOTRACK or ALARM', DisableExternalCache: 'off' }],
    [
      'Sync { Mode FTFW { } TCP { IPv4_address 10.0.0.1 Port 3780 Interface eth1 } }',
      { Mode: 'FTFW', link: 'TCP eth1' },
    ],
  ])('%s has its traits', (text, traits) => {
    expect(traitsOfFile(text)).toMatchObject(traits);
  });

  it('with several links says nothing of the one in use', () => {
    const second = 'Sync { UDP { IPv4_address 10.0.0.9 Port 1 Interface eth9 } }';
    const { link, local } = traitsOfFile(renderConntrackd(edge, fw1) + second);
    expect([link, local]).toEqual([undefined, undefined]);
  });
});
