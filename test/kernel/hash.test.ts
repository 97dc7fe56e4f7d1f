import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { execa } from 'execa';
import ipaddr from 'ipaddr.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { addressText, addressWord, parseAddress } from '../../src/cluster/address.ts';
import { bucketOf } from '../../src/cluster/hash.ts';

/**
 * The kernel is asked: packets from each address go through rules that mark them with the bucket they compute and
 * keep address and mark in a set, which is then read back.
 */
interface Hash {
  readonly seed: number;
  readonly buckets: number;
}

const JHASHES: readonly Hash[] = [0, 1, 0xdead_beef, 0xffff_ffff].flatMap((seed) =>
  [2, 3, 7, 16, 64, 1000, 1024].map((buckets) => ({ seed, buckets })),
);

/** xt_cluster has 32 buckets at most. Four hashes share a mark, a byte each, and have a port of their own. */
const CLUSTERS: readonly { readonly port: number; readonly hashes: readonly Hash[] }[] = [
  {
    port: 9,
    hashes: [
      { seed: 0xdead_beef, buckets: 2 },
      { seed: 0xdead_beef, buckets: 3 },
      { seed: 0xdead_beef, buckets: 16 },
      { seed: 0xdead_beef, buckets: 32 },
    ],
  },
  {
    port: 10,
    hashes: [
      { seed: 0, buckets: 32 },
      { seed: 1, buckets: 8 },
      { seed: 0xffff_ffff, buckets: 32 },
      { seed: 0x8000_0000, buckets: 31 },
    ],
  },
];

const TARGET = '127.0.0.9';
const TARGET6 = 'fd00:9::9';

/** Addresses that a host may have: consecutive ones, ends of the range, and others from all over, 2000 in all. */
const addresses = (): string[] => {
  const words = new Set(['1.0.0.0', '1.0.0.1', '223.255.255.255', '128.0.0.1'].map(addressWord));
  for (let byte = 0; byte < 256; byte += 1) {
    words.add(addressWord(`192.168.0.${byte}`));
    words.add(addressWord(`10.0.${byte}.1`));
  }
  for (let state = 0x1234_5678; words.size < 2000; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0; // any fixed sequence will do
    const text = addressText((state ^ (state >>> 16)) >>> 0);
    const first = Number.parseInt(text, 10);
    if (first > 0 && first < 224 && first !== 127) {
      words.add(addressWord(text));
    }
  }
  return [...words].map(addressText);
};

/** IPv6: neighbours, such as differ in one word, ends of the range, and others from all over, 600 in all. */
const addresses6 = (): string[] => {
  const found = new Set(['2000::', '2000::1', '3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:db8::']);
  for (let number = 0; number < 64; number += 1) {
    const part = (number * 977).toString(16);
    for (const text of [
      `fd00::${part}`,
      `fd00:${part}::1`,
      `fd00:0:0:1:${part}::`,
      `fd00::${part}:0:1:0:0`,
    ]) {
      found.add(addressText(parseAddress(text)));
    }
  }
  for (let state = 0x1234_5678; found.size < 600; ) {
    const words = [1, 2, 3, 4].map(() => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0; // any fixed sequence will do
      return (state ^ (state >>> 16)) | 0;
    });
    const [first = 0, second = 0, third = 0, fourth = 0] = words;
    // 2000::/3: what hosts have
    found.add(addressText({ first: (first & ~0xff) | 0x20 | (first & 0x1f), second, third, fourth }));
  }
  return [...found];
};

const sources = addresses();
const sources6 = addresses6();

/** nft sets its mark to each hash in turn; what xt_cluster marked before is kept first. */
const rules = (): string => {
  const set = (name: string) => `set ${name} { typeof ip saddr . meta mark; flags dynamic; size 65536; }`;
  return `table ip witness {
    ${CLUSTERS.map(({ port }) => set(`cluster${port}`)).join('\n')}
    ${JHASHES.map((_, index) => set(`jhash${index}`)).join('\n')}
    chain arriving {
      type filter hook prerouting priority -100;
      ip daddr != ${TARGET} accept
      ${CLUSTERS.map(({ port }) => `udp dport ${port} add @cluster${port} { ip saddr . meta mark }`).join('\n')}
      ${JHASHES.map(
        ({ seed, buckets }, index) =>
          `meta mark set jhash ip saddr mod ${buckets} seed ${seed} add @jhash${index} { ip saddr . meta mark }`,
      ).join('\n')}
    }
  }`;
};

/** `ip6 saddr`, and 16 bytes at an offset, as the address in the packet that an ICMPv6 error quotes: here the payload. */
const rules6 = (): string => {
  const set = (name: string) => `set ${name} { typeof ip6 saddr . meta mark; flags dynamic; size 65536; }`;
  const hash = (field: string, name: string, { seed, buckets }: Hash) =>
    `meta mark set jhash ${field} mod ${buckets} seed ${seed} add @${name} { ip6 saddr . meta mark }`;
  return `table ip6 witness {
    ${JHASHES.map((_, index) => `${set(`jhash${index}`)}\n${set(`quoted${index}`)}`).join('\n')}
    chain arriving {
      type filter hook prerouting priority -100;
      ip6 daddr != ${TARGET6} accept
      ${JHASHES.map((one, index) => hash('ip6 saddr', `jhash${index}`, one)).join('\n')}
      ${JHASHES.map((one, index) => hash('@th,64,128', `quoted${index}`, one)).join('\n')}
    }
  }`;
};

/** One rule a bucket: a mask of buckets above 32 is refused, and one of several has another meaning when translated. */
const clusterRules = (): string => {
  const lines = CLUSTERS.flatMap(({ port, hashes }) =>
    hashes.flatMap(({ seed, buckets }, position) =>
      Array.from({ length: buckets }, (_, bucket) =>
        [
          `-A PREROUTING -d ${TARGET} -p udp --dport ${port}`,
          `-m cluster --cluster-total-nodes ${buckets} --cluster-local-node ${bucket + 1}`,
          `--cluster-hash-seed ${seed} -j MARK --set-xmark ${byteAt(bucket + 1, position)}/${byteAt(255, position)}`,
        ].join(' '),
      ),
    ),
  );
  return ['*mangle', ...lines, 'COMMIT', ''].join('\n');
};

const byteAt = (value: number, position: number): string => `0x${(value * 256 ** position).toString(16)}`;

/** Sends a datagram from `source`, which the namespace takes for its own like any other. */
const send = async (source: string): Promise<void> => {
  const socket = createSocket('udp4');
  socket.bind({ address: source });
  await once(socket, 'listening');
  for (const { port } of CLUSTERS) {
    await new Promise<void>((resolve, reject) => {
      socket.send('x', port, TARGET, (error) => (error ? reject(error) : resolve()));
    });
  }
  socket.close();
};

/** The same with the 16 bytes of the address as its payload. */
const send6 = async (source: string): Promise<void> => {
  const socket = createSocket('udp6');
  socket.bind({ address: source });
  await once(socket, 'listening');
  await new Promise<void>((resolve, reject) => {
    socket.send(bytesOf(source), 9, TARGET6, (error) => (error ? reject(error) : resolve()));
  });
  socket.close();
};

const bytesOf = (text: string): Uint8Array => Uint8Array.from(ipaddr.IPv6.parse(text).toByteArray());

const ListedSet = z.object({
  nftables: z.array(
    z.object({
      set: z.object({ elem: z.array(z.object({ concat: z.tuple([z.string(), z.number()]) })) }).optional(),
    }),
  ),
});

/** The mark of each address. */
const marks = async (name: string, family: 'ip' | 'ip6' = 'ip'): Promise<Map<string, number>> => {
  const { stdout } = await execa('nft', ['-j', 'list', 'set', family, 'witness', name]);
  const pairs = ListedSet.parse(JSON.parse(stdout)).nftables.flatMap(({ set }) => set?.elem ?? []);
  expect(pairs).toHaveLength((family === 'ip' ? sources : sources6).length); // one mark an address
  return new Map(pairs.map(({ concat }) => concat));
};

beforeAll(async () => {
  await execa('ip', ['link', 'set', 'lo', 'up']);
  await execa('ip', ['route', 'add', 'local', '0.0.0.0/0', 'dev', 'lo', 'table', 'local']);
  await execa('iptables-restore', ['--noflush'], { input: clusterRules() });
  await execa('nft', ['-f', '-'], { input: rules() });
  for (const source of sources) {
    await send(source);
  }
  await execa('ip', ['-6', 'route', 'add', 'local', '::/0', 'dev', 'lo', 'table', 'local']);
  await execa('sysctl', ['-q', '-w', 'net.ipv6.ip_nonlocal_bind=1']);
  await execa('nft', ['-f', '-'], { input: rules6() });
  for (const source of sources6) {
    await send6(source);
  }
}, 60_000);

afterAll(async () => {
  await execa('nft', ['delete', 'table', 'ip', 'witness']);
  await execa('nft', ['delete', 'table', 'ip6', 'witness']);
  await execa('ip', ['-6', 'route', 'del', 'local', '::/0', 'dev', 'lo', 'table', 'local']);
  await execa('sysctl', ['-q', '-w', 'net.ipv6.ip_nonlocal_bind=0']);
  await execa('iptables', ['-t', 'mangle', '-F', 'PREROUTING']);
  await execa('ip', ['route', 'del', 'local', '0.0.0.0/0', 'dev', 'lo', 'table', 'local']);
  await execa('conntrack', ['-F']);
});

describe('the hash of addresses', () => {
  it.each(JHASHES.map((hash, index) => ({ ...hash, index })))(
    "is nft's jhash with seed $seed and $buckets buckets",
    async ({ seed, buckets, index }) => {
      const expected = new Map(
        sources.map((source) => [source, bucketOf(addressWord(source), seed, buckets)]),
      );

      expect(sorted(await marks(`jhash${index}`))).toEqual(sorted(expected));
    },
  );

  it.each(JHASHES.map((hash, index) => ({ ...hash, index })))(
    "is nft's jhash of IPv6 with seed $seed and $buckets buckets, of an address at an offset as well",
    async ({ seed, buckets, index }) => {
      const expected = new Map(
        sources6.map((source) => [source, bucketOf(parseAddress(source), seed, buckets)]),
      );

      expect(sorted(await marks(`jhash${index}`, 'ip6'))).toEqual(sorted(expected));
      expect(sorted(await marks(`quoted${index}`, 'ip6'))).toEqual(sorted(expected));
    },
  );

  it.each(CLUSTERS)("is xt_cluster's (datagrams to port $port)", async ({ port, hashes }) => {
    const expected = new Map(
      sources.map((source) => {
        const nodes = hashes.map(({ seed, buckets }) => bucketOf(addressWord(source), seed, buckets) + 1);
        return [source, nodes.reduce((mark, node, position) => mark + node * 256 ** position, 0)];
      }),
    );

    expect(sorted(await marks(`cluster${port}`))).toEqual(sorted(expected));
  });
});

const sorted = (buckets: Map<string, number>): [string, number][] =>
  [...buckets].sort(([a], [b]) => (a < b ? -1 : 1));
