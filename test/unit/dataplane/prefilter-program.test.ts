import { describe, expect, it } from 'vitest';
import { addressText, addressWord } from '../../../src/cluster/address.ts';
import { groupsOf } from '../../../src/cluster/groups.ts';
import { bucketOf } from '../../../src/cluster/hash.ts';
import { sharesOf } from '../../../src/cluster/ranges.ts';
import type { ClusterConfig } from '../../../src/config/types.ts';
import { planOf } from '../../../src/dataplane/plan.ts';
import { prefilterProgram } from '../../../src/dataplane/prefilter/program.ts';
import type { Instruction } from '../../../src/kernel/bpf-assembler.ts';
import { runBpf } from '../../support/bpf.ts';
import { clusterConfig } from '../../support/cluster-config.ts';

const DROP = 2;
const PASS = 0xffff_ffff;
const INSIDE = '01:00:5e:00:01:01';
const OUTSIDE = '01:00:5e:00:01:02';
const HOST = '203.0.113.77';
const SHARED = '192.168.1.5';

interface Packet {
  readonly mac?: string;
  readonly from?: string;
  readonly to?: string;
  readonly port?: number;
  readonly protocol?: number;
  readonly first?: number;
  readonly fragment?: number;
}

const frameOf = ({
  mac = INSIDE,
  from = '192.168.0.9',
  to = HOST,
  port = 443,
  protocol = 6,
  first = 0x45,
  fragment = 0x4000,
}: Packet): Buffer => {
  const frame = Buffer.alloc(60);
  frame.write(mac.replaceAll(':', ''), 'hex');
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = first;
  frame.writeUInt16BE(fragment, 20);
  frame[23] = protocol;
  frame.writeUInt32LE(addressWord(from), 26);
  frame.writeUInt32LE(addressWord(to), 30);
  frame.writeUInt16BE(port, 36);
  return frame;
};

const program = (
  passed: Iterable<number>,
  { leg = 0, own = [], ...fields }: Partial<ClusterConfig> & { leg?: number; own?: readonly string[] } = {},
): readonly Instruction[] => {
  const config = clusterConfig(fields);
  const [node] = config.nodes;
  const plan = node && planOf(config, node);
  const chosen = plan?.legs[leg];
  if (plan === undefined || chosen === undefined) throw new RangeError(`no leg ${leg}`);
  return prefilterProgram(plan, chosen, new Set(passed), own);
};

/** The buckets whose packets are passed. */
const passedBy = (
  made: (bucket: number) => readonly Instruction[],
  buckets: number,
  packet: Packet,
): number[] =>
  Array.from({ length: buckets }, (_, bucket) => bucket).filter(
    (bucket) => runBpf(made(bucket), frameOf(packet)) === PASS,
  );

const addresses = (network: string): readonly string[] =>
  Array.from({ length: 100 }, (_, index) => `${network}.${2 * index + 7}`);

describe('what a prefilter drops', () => {
  it.each([2, 64, 256])('is what is hashed into other buckets, of %d', (buckets) => {
    for (const seed of [0, 1, 0xdeadbeef, 0xffff_ffff]) {
      for (const [leg, mac, field] of [
        [0, INSIDE, 'from'],
        [1, OUTSIDE, 'to'],
      ] as const) {
        const made = Array.from({ length: buckets }, (_, bucket) =>
          program([bucket], {
            buckets,
            seed,
            leg,
            interfaces: clusterConfig().interfaces.map((one) => ({ ...one, snat: [] })),
          }),
        );
        for (const address of addresses(field === 'from' ? '192.168.0' : '203.0.113').slice(0, 12)) {
          const found = passedBy((bucket) => made[bucket] ?? [], buckets, { mac, [field]: address });
          expect(found).toEqual([bucketOf(addressWord(address), seed, buckets)]);
        }
      }
    }
  });

  it.each([
    [64, [SHARED]],
    [2, [SHARED]],
    [1024, [SHARED]],
    [64, [SHARED, '192.168.1.6', '192.168.1.7']],
  ])('is what was translated by others, with %d buckets and %o', (buckets, snat) => {
    const [inside, outside] = clusterConfig().interfaces;
    if (inside === undefined || outside === undefined) throw new RangeError('two interfaces expected');
    const interfaces = [inside, { ...outside, snat }];
    const config = clusterConfig({ buckets, interfaces });
    const shares = sharesOf(snat, groupsOf(config), buckets);
    const owned = new Set(
      Array.from({ length: buckets }, (_, bucket) => bucket).filter(
        (bucket) => Math.floor(bucket / 16) % 3 === 0,
      ),
    );
    const made = program(owned, { buckets, interfaces, leg: 1 });
    for (const to of snat) {
      for (let port = 1024; port <= 65535; port += 1) {
        const share = shares.find((one) => one.address === to && one.first <= port && port <= one.last);
        const expected = share !== undefined && owned.has(share.bucket) ? PASS : DROP;
        if (runBpf(made, frameOf({ mac: OUTSIDE, from: HOST, to, port })) !== expected) {
          expect({ to, port }).toBe(expected);
        }
      }
    }
  });

  it('is nothing of which an exception may be', () => {
    const none = program([], { own: ['198.51.100.1'] });
    const verdict = (packet: Packet) => runBpf(none, frameOf(packet));
    expect(verdict({})).toBe(DROP);
    expect(verdict({ protocol: 17 })).toBe(DROP);
    const passed: readonly Packet[] = [
      { mac: '02:00:00:00:01:01' },
      { mac: '01:00:5e:00:01:02' },
      { first: 0x46 },
      { protocol: 1 },
      { protocol: 112 },
      { to: '224.0.0.18' },
      { to: '255.255.255.255' },
      { to: '192.168.0.5' },
      { to: '192.168.0.200' },
      { to: '198.51.100.1' },
    ];
    expect(passed.map(verdict)).toEqual(passed.map(() => PASS));
  });

  it('is nothing outside that is sent to the firewall, or came in fragments', () => {
    const none = program([], { leg: 1 });
    const verdict = (packet: Packet) =>
      runBpf(none, frameOf({ mac: OUTSIDE, from: HOST, to: SHARED, ...packet }));
    expect(verdict({ port: 1024 })).toBe(DROP);
    expect([
      verdict({ port: 1023 }),
      verdict({ port: 5000, fragment: 0x2000 }),
      verdict({ port: 5000, fragment: 0x0010 }),
      verdict({ to: '192.168.0.5', port: 5000 }),
    ]).toEqual([PASS, PASS, PASS, PASS]);
  });

  it('is nothing from or to a published server', () => {
    const web = { name: 'web', protocol: 'tcp', address: SHARED, to: '192.168.0.80' } as const;
    const publish = [{ ...web, ports: { first: 443, last: 443 }, toPorts: { first: 443, last: 443 } }];
    const inside = program([], { publish });
    const outside = program([], { publish, leg: 1 });
    expect(runBpf(inside, frameOf({}))).toBe(DROP);
    expect(runBpf(inside, frameOf({ from: '192.168.0.80' }))).toBe(PASS);
    expect(runBpf(outside, frameOf({ mac: OUTSIDE, from: HOST, to: '192.168.0.81' }))).toBe(DROP);
    expect(runBpf(outside, frameOf({ mac: OUTSIDE, from: HOST, to: '192.168.0.80' }))).toBe(PASS);
  });

  it('is less than could be where ownership changes from bucket to bucket, and never more', () => {
    const buckets = 1024;
    const owned = new Set(
      Array.from({ length: buckets }, (_, bucket) => bucket).filter((bucket) => bucket % 2 === 0),
    );
    const made = program(owned, { buckets });
    const all = Array.from({ length: 2000 }, (_, index) =>
      addressText((0x0000a8c0 + index * 0x0001_0100) >>> 0),
    );
    const dropped = all.filter((from) => runBpf(made, frameOf({ from })) === DROP);
    expect(dropped.length).toBeGreaterThan(50);
    expect(dropped.filter((from) => owned.has(bucketOf(addressWord(from), 0xdeadbeef, buckets)))).toEqual([]);
  });
});
