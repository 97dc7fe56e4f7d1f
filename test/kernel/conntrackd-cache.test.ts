import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addressWord } from '../../src/cluster/address.ts';
import { type CommitOptions, commitExternal } from '../../src/conntrackd/commit.ts';
import type { Control } from '../../src/conntrackd/control.ts';
import { ConntrackdUnfit } from '../../src/conntrackd/errors.ts';
import { dumpExternal } from '../../src/conntrackd/external-dump.ts';
import { drained, sent } from '../../src/conntrackd/progress.ts';
import { logFileOf } from '../../src/conntrackd/render.ts';
import { parseStatistics, type Statistics } from '../../src/conntrackd/statistics.ts';
import { type Daemon, eventually, Lab } from './conntrackd-lab.ts';

/** Two real conntrackds with `replicas: cache`: what fw1's kernel holds stands in the external cache of fw2. */

let lab: Lab;
let one: Daemon;
let two: Daemon;
let options: CommitOptions;

beforeAll(async () => {
  lab = await Lab.open();
  for (const name of ['fw1', 'fw2']) await lab.addNamespace(name);
  await lab.connect(
    { name: 'fw1', device: 'eth3', address: '10.99.0.1/24' },
    { name: 'fw2', device: 'sync0', address: '10.99.0.2/24' },
  );
  one = await lab.conntrackd('fw1', undefined, 'cache');
  two = await lab.conntrackd('fw2', undefined, 'cache');
  // The port is looked up in this process's namespace, where nobody listens on it.
  options = { log: logFileOf(two.socket), port: 3780, bound: 2000 };
});

afterAll(() => lab.close());

beforeEach(async () => {
  for (const daemon of [one, two]) {
    await daemon.control.send('flushInternal');
    await daemon.control.send('flushExternal');
  }
  for (const name of ['fw1', 'fw2']) await lab.run(name, 'conntrack', ['-F']);
});

const SERVER = '192.168.1.2';
const SHARED = '192.168.1.5';

/** An entry as `conntrack -R` reads it: a flow from 192.168.0.3 that is translated to a port of the shared address. */
const entry = (sport: number, port: number, timeout = 600): string =>
  `-A -p udp -s 192.168.0.3 -d ${SERVER} --sport ${sport} --dport 53 -t ${timeout} -u SEEN_REPLY -n ${SHARED}:${port}\n`;

const insert = async (name: string, entries: readonly string[]): Promise<void> => {
  const file = join(lab.directory, `${name}.flows`);
  await writeFile(file, entries.join(''));
  await lab.run(name, 'conntrack', ['-R', file]);
};

const statistics = async (control: Control): Promise<Statistics> =>
  parseStatistics(await control.send('statistics'));

const cached = async (): Promise<number> => {
  const { external } = await statistics(two.control);
  return external.kind === 'cache' ? external.active : -1;
};

const untilCached = (count: number): Promise<true> =>
  eventually(`${count} flows in the cache of fw2`, async () =>
    (await cached()) === count ? true : undefined,
  );

const flows = async (name: string): Promise<string> =>
  (await lab.run(name, 'conntrack', ['-L', '-o', 'id'])).stdout;

describe('the external cache', () => {
  it('is kept by what is rendered, and holds what the peer has, not the kernel', async () => {
    await insert('fw1', [entry(1000, 2000), entry(1001, 2001)]);
    await untilCached(2);
    expect(await flows('fw2')).toBe('');
    const found: unknown[] = [];
    for await (const tuples of dumpExternal(two.control)) found.push(...tuples);
    const ends = { protocol: 17, src: addressWord('192.168.0.3'), dst: addressWord(SERVER), dport: 53 };
    expect(found).toHaveLength(2);
    expect(found).toEqual(
      expect.arrayContaining([
        { ...ends, sport: 1000 },
        { ...ends, sport: 1001 },
      ]),
    );
  });

  it('loses what the peer deletes, and the peer nothing of what is deleted here', async () => {
    await insert('fw1', [entry(1000, 2000), entry(1001, 2001)]);
    await untilCached(2);
    await commitExternal(two.control, options);
    await lab.run('fw2', 'conntrack', ['-F']);
    await two.control.send('statistics');
    const kept = await flows('fw1');
    expect(kept).toContain('sport=1000 ');
    expect(kept).toContain('sport=1001 ');
    await lab.run('fw1', 'conntrack', ['-D', '-p', 'udp', '--sport', '1000']);
    await untilCached(1);
  });
});

describe('commitExternal', () => {
  it('puts the flows into the kernel, translation and all, and tells how many', async () => {
    const entries = Array.from({ length: 3000 }, (_, index) => entry(1024 + index, 10_000 + index));
    await insert('fw1', entries);
    await untilCached(3000);
    const result = await commitExternal(two.control, options);
    expect(result).toMatchObject({ committed: 3000, refused: 0 });
    expect(result.milliseconds).toBeGreaterThan(0);
    const text = await flows('fw2');
    expect(text.split('\n').filter((line) => line !== '')).toHaveLength(3000);
    expect(text).toMatch(/sport=1024 dport=53 src=192\.168\.1\.2 dst=192\.168\.1\.5 sport=53 dport=10000 /);
  });

  it('replaces a live entry by the copy', async () => {
    await insert('fw1', [entry(1000, 2000)]);
    await untilCached(1);
    await insert('fw2', [entry(1000, 3000)]);
    expect(await commitExternal(two.control, options)).toMatchObject({ committed: 1, refused: 0 });
    expect(await flows('fw2')).toContain('dport=2000 ');
  });

  it('tells how many the kernel refused: those whose answers would be those of another flow', async () => {
    await insert('fw1', [entry(1000, 2000), entry(1001, 2001)]);
    await untilCached(2);
    await insert('fw2', [entry(1009, 2000)]);
    expect(await commitExternal(two.control, options)).toMatchObject({ committed: 1, refused: 1 });
  });

  it('is not taken in by a commit of somebody else that is under way', async () => {
    const entries = Array.from({ length: 40_000 }, (_, index) => entry(1024 + index, 1024 + index));
    await insert('fw1', entries);
    await untilCached(40_000);
    const other = lab.run('fw2', 'conntrackd', ['-C', join(lab.directory, 'fw2.conf'), '-c', 'ct']);
    const { log } = options;
    await eventually('the other commit to begin', async () =>
      (await lab.run('fw2', 'conntrack', ['-C'])).stdout.trim() === '0' ? undefined : true,
    );
    const result = await commitExternal(two.control, { ...options, log });
    expect(result).toMatchObject({ committed: 40_000, refused: 0 });
    expect((await lab.run('fw2', 'conntrack', ['-C'])).stdout.trim()).toBe('40000');
    await other;
  }, 30_000);

  it('knows no numbers without a log, but its end', async () => {
    await insert('fw1', [entry(1000, 2000)]);
    await untilCached(1);
    const log = join(lab.directory, 'nowhere');
    expect(await commitExternal(two.control, { ...options, log })).toMatchObject({
      committed: undefined,
      refused: undefined,
    });
    expect(await flows('fw2')).toContain('sport=1000 ');
  });

  it('is refused by a conntrackd without the cache', async () => {
    await two.kill();
    two = await lab.conntrackd('fw2');
    await expect(commitExternal(two.control, options)).rejects.toBeInstanceOf(ConntrackdUnfit);
    await two.kill();
    two = await lab.conntrackd('fw2', undefined, 'cache');
  });
});

describe('sent', () => {
  it('is true at once where an acknowledgement would be awaited, and then the peer has it', async () => {
    await insert('fw1', [entry(1000, 2000)]);
    expect(await drained(one.control, { bound: 3000 })).toBe(true);
    await insert('fw1', [entry(1001, 2001)]);
    const inserted = performance.now();
    expect(await sent(one.control, { bound: 1000 })).toBe(true);
    expect(performance.now() - inserted).toBeLessThan(150);
    await two.control.send('statistics');
    expect(await cached()).toBe(2);
  });
});
