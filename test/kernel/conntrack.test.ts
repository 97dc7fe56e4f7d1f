import { readFile, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Address, addressWord, parseAddress } from '../../src/cluster/address.ts';
import type { Flow, Tuple } from '../../src/cluster/flow.ts';
import { Conntrack, type NewFlow } from '../../src/kernel/conntrack.ts';
import { ChannelClosedError, KernelError } from '../../src/kernel/error.ts';

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ICMPV6 = 58;
const SCTP = 132;
const ESP = 50;
const ECHO_REQUEST = 8 * 256;
const ECHO_REPLY = 0;
const ECHO_REQUEST6 = 128 * 256;
const ECHO_REPLY6 = 129 * 256;
/** IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED */
const STATUS = 14;
const SRC_NAT = 16;
const DST_NAT = 32;

const inside = addressWord('10.0.0.2');
const shared = addressWord('192.168.1.5');
const server = addressWord('192.168.1.100');
const inside6 = parseAddress('fd00::2');
const shared6 = parseAddress('fd00:1::5');
const server6 = parseAddress('2001:db8::100');

const tuple = (protocol: number, src: Address, sport: number, dst: Address, dport: number): Tuple => ({
  protocol,
  src,
  dst,
  sport,
  dport,
});

const flow = (original: Tuple, reply: Tuple): NewFlow => ({ original, reply, status: STATUS, timeout: 600 });

/** A flow of ports without NAT. */
const plain = (protocol: number, port: number, src = inside): NewFlow =>
  flow(tuple(protocol, src, port, server, 80), tuple(protocol, server, 80, src, port));

const plain6 = (protocol: number, port: number, src = inside6): NewFlow =>
  flow(tuple(protocol, src, port, server6, 80), tuple(protocol, server6, 80, src, port));

const many = (count: number): NewFlow[] =>
  Array.from({ length: count }, (_, index) =>
    plain(TCP, 1024 + (index % 60_000), addressWord(`10.${1 + Math.floor(index / 60_000)}.0.1`)),
  );

const originals = (flows: readonly Flow[]): Tuple[] => flows.map(({ original }) => original);

let conntrack: Conntrack;

const dumped = async (): Promise<Flow[]> => {
  const flows: Flow[] = [];
  for await (const part of conntrack.dump()) {
    flows.push(...part);
  }
  return flows;
};

/** What the conntrack program prints, an entry a line. */
const listed = async (...args: string[]): Promise<string[]> => {
  const { stdout } = await execa('conntrack', ['-L', ...args]);
  return stdout.split('\n').filter((line) => line !== '');
};

beforeEach(() => {
  conntrack = new Conntrack();
});

afterEach(async () => {
  conntrack.close();
  await execa('conntrack', ['-F']);
  await execa('conntrack', ['-F', '-f', 'ipv6']);
});

describe('an inserted flow', () => {
  const ends6 = 'src=fd00::2 dst=2001:db8::100';
  const cases: [string, NewFlow, number, RegExp][] = [
    [
      'of TCP',
      plain(TCP, 40_000),
      STATUS,
      /^tcp +6 \d+ ESTABLISHED src=10.0.0.2 dst=192.168.1.100 sport=40000 dport=80 .*\[ASSURED]/,
    ],
    ['of TCP that is closing', { ...plain(TCP, 40_001), tcpState: 4 }, STATUS, /^tcp +6 \d+ FIN_WAIT /],
    ['of UDP', plain(UDP, 5353), STATUS, /^udp +17 \d+ src=10.0.0.2 dst=192.168.1.100 sport=5353 dport=80 /],
    [
      'of SCTP',
      plain(SCTP, 2905),
      STATUS,
      /^sctp +132 .*src=10.0.0.2 dst=192.168.1.100 sport=2905 dport=80 /,
    ],
    [
      'of a protocol without ports',
      flow(tuple(ESP, inside, 0, server, 0), tuple(ESP, server, 0, inside, 0)),
      STATUS,
      /^(esp|unknown) +50 \d+ src=10.0.0.2 dst=192.168.1.100/,
    ],
    [
      'of ICMP',
      flow(tuple(ICMP, inside, 77, server, ECHO_REQUEST), tuple(ICMP, server, 77, inside, ECHO_REPLY)),
      STATUS,
      /^icmp +1 \d+ src=10.0.0.2 dst=192.168.1.100 type=8 code=0 id=77 src=192.168.1.100 dst=10.0.0.2 type=0 code=0 id=77/,
    ],
    [
      'with its source translated',
      flow(tuple(TCP, inside, 40_002, server, 80), tuple(TCP, server, 80, shared, 1025)),
      STATUS | SRC_NAT,
      /sport=40002 dport=80 src=192.168.1.100 dst=192.168.1.5 sport=80 dport=1025 /,
    ],
    [
      'with its source translated, the port kept',
      flow(tuple(UDP, inside, 40_003, server, 53), tuple(UDP, server, 53, shared, 40_003)),
      STATUS | SRC_NAT,
      /sport=40003 dport=53 src=192.168.1.100 dst=192.168.1.5 sport=53 dport=40003 /,
    ],
    [
      'of ICMP with its source and id translated',
      flow(tuple(ICMP, inside, 1, server, ECHO_REQUEST), tuple(ICMP, server, 2049, shared, ECHO_REPLY)),
      STATUS | SRC_NAT,
      /type=8 code=0 id=1 src=192.168.1.100 dst=192.168.1.5 type=0 code=0 id=2049/,
    ],
    [
      'with its destination translated',
      flow(tuple(TCP, server, 50_000, shared, 443), tuple(TCP, inside, 8443, server, 50_000)),
      STATUS | DST_NAT,
      /src=192.168.1.100 dst=192.168.1.5 sport=50000 dport=443 src=10.0.0.2 dst=192.168.1.100 sport=8443 dport=50000 /,
    ],
    [
      'with both translated',
      flow(tuple(TCP, inside, 50_001, shared, 443), tuple(TCP, server, 8443, shared, 1026)),
      STATUS | SRC_NAT | DST_NAT,
      /sport=50001 dport=443 src=192.168.1.100 dst=192.168.1.5 sport=8443 dport=1026 /,
    ],
    [
      'of TCP over IPv6',
      plain6(TCP, 40_000),
      STATUS,
      new RegExp(`^tcp +6 \\d+ ESTABLISHED ${ends6} sport=40000 dport=80 .*\\[ASSURED]`),
    ],
    [
      'of UDP over IPv6',
      plain6(UDP, 5353),
      STATUS,
      new RegExp(`^udp +17 \\d+ ${ends6} sport=5353 dport=80 `),
    ],
    [
      'of SCTP over IPv6',
      plain6(SCTP, 2905),
      STATUS,
      new RegExp(`^sctp +132 .*${ends6} sport=2905 dport=80 `),
    ],
    [
      'of a protocol without ports over IPv6',
      flow(tuple(ESP, inside6, 0, server6, 0), tuple(ESP, server6, 0, inside6, 0)),
      STATUS,
      new RegExp(`^(esp|unknown) +50 \\d+ ${ends6}`),
    ],
    [
      'of ICMPv6',
      flow(
        tuple(ICMPV6, inside6, 77, server6, ECHO_REQUEST6),
        tuple(ICMPV6, server6, 77, inside6, ECHO_REPLY6),
      ),
      STATUS,
      new RegExp(
        `^icmpv6 +58 \\d+ ${ends6} type=128 code=0 id=77 src=2001:db8::100 dst=fd00::2 type=129 code=0 id=77`,
      ),
    ],
    [
      'of IPv6 with its source translated',
      flow(tuple(TCP, inside6, 40_002, server6, 80), tuple(TCP, server6, 80, shared6, 1025)),
      STATUS | SRC_NAT,
      /sport=40002 dport=80 src=2001:db8::100 dst=fd00:1::5 sport=80 dport=1025 /,
    ],
    [
      'of IPv6 with its source translated, the port kept',
      flow(tuple(UDP, inside6, 40_003, server6, 53), tuple(UDP, server6, 53, shared6, 40_003)),
      STATUS | SRC_NAT,
      /sport=40003 dport=53 src=2001:db8::100 dst=fd00:1::5 sport=53 dport=40003 /,
    ],
    [
      'of ICMPv6 with its source and id translated',
      flow(
        tuple(ICMPV6, inside6, 1, server6, ECHO_REQUEST6),
        tuple(ICMPV6, server6, 2049, shared6, ECHO_REPLY6),
      ),
      STATUS | SRC_NAT,
      /type=128 code=0 id=1 src=2001:db8::100 dst=fd00:1::5 type=129 code=0 id=2049/,
    ],
    [
      'of IPv6 with both translated',
      flow(tuple(TCP, inside6, 50_001, shared6, 443), tuple(TCP, server6, 8443, shared6, 1026)),
      STATUS | SRC_NAT | DST_NAT,
      /sport=50001 dport=443 src=2001:db8::100 dst=fd00:1::5 sport=8443 dport=1026 /,
    ],
  ];

  it.each(cases)('%s is what the kernel holds, and can be addressed', async (_, made, status, witness) => {
    expect(await conntrack.insert([made])).toEqual({ done: 1, missing: 0, refused: 0, failed: [] });

    const family = typeof made.original.src === 'number' ? 'ipv4' : 'ipv6';
    expect(await listed('-f', family)).toEqual([expect.stringMatching(witness)]);
    const [entry, ...more] = await dumped();
    expect(more).toEqual([]);
    expect(entry).toMatchObject({ original: made.original, reply: made.reply });
    // Done marks of NAT (IPS_SRC_NAT_DONE, IPS_DST_NAT_DONE) depend on the kernel
    expect((entry?.status ?? 0) & 0x3f).toBe(status);
    expect(entry?.timeout).toBeGreaterThan(590);
    expect(entry?.timeout).toBeLessThanOrEqual(600);

    expect(await conntrack.touch([made.original])).toMatchObject({ done: 1, missing: 0 });
    expect(await conntrack.remove([made.original])).toMatchObject({ done: 1, missing: 0 });
    expect(await listed()).toEqual([]);
    expect(await listed('-f', 'ipv6')).toEqual([]);
  });

  it('that exists is refused, its neighbours are not', async () => {
    await conntrack.insert([plain(TCP, 2)]);

    const result = await conntrack.insert([plain(TCP, 1), plain(TCP, 2), plain(TCP, 3)]);

    expect(result).toMatchObject({ done: 2, missing: 0, refused: 1 });
    expect(result.failed).toMatchObject([{ code: 'EEXIST', errno: 17, operation: 'insert' }]);
    expect(result.failed[0]?.message).toBe(
      'the kernel refused to insert protocol 6 10.0.0.2:2 -> 192.168.1.100:80: EEXIST, it exists already',
    );
    expect(await dumped()).toHaveLength(3);
  });

  it('of IPv6 that exists is refused by name, and one that is gone is missing', async () => {
    await conntrack.insert([plain6(TCP, 2)]);

    const result = await conntrack.insert([plain6(TCP, 2), plain(TCP, 2)]);

    expect(result).toMatchObject({ done: 1, refused: 1 });
    expect(result.failed[0]?.message).toBe(
      'the kernel refused to insert protocol 6 [fd00::2]:2 -> [2001:db8::100]:80: EEXIST, it exists already',
    );
    const tuples = [plain6(TCP, 2), plain6(TCP, 3), plain(TCP, 2)].map(({ original }) => original);
    expect(await conntrack.touch(tuples)).toMatchObject({ done: 2, missing: 1, refused: 0 });
    expect(await conntrack.remove(tuples)).toMatchObject({ done: 2, missing: 1, refused: 0 });
  });

  it('that the conntrack program made is read alike', async () => {
    await execa('conntrack', [
      ...['-I', '-p', 'udp', '-s', '10.0.0.2', '-d', '192.168.1.100', '--sport', '7', '--dport', '9'],
      ...['-t', '300', '--src-nat', '192.168.1.5:1030', '-u', 'SEEN_REPLY'],
    ]);

    expect(await dumped()).toMatchObject([
      { original: tuple(UDP, inside, 7, server, 9), reply: tuple(UDP, server, 9, shared, 1030) },
    ]);
  });

  it('of IPv6 that the conntrack program made is read alike, beside one of IPv4', async () => {
    const ends = ['-p', 'udp', '--sport', '7', '--dport', '9', '-t', '300', '-u', 'SEEN_REPLY'];
    await execa('conntrack', ['-I', '-s', '10.0.0.2', '-d', '192.168.1.100', ...ends]);
    await execa('conntrack', ['-I', '-s', 'fd00::2', '-d', '2001:db8::100', ...ends]);

    expect(originals(await dumped())).toEqual(
      expect.arrayContaining([tuple(UDP, inside, 7, server, 9), tuple(UDP, inside6, 7, server6, 9)]),
    );
  });

  it('in a conntrack zone is not listed, since it could not be addressed', async () => {
    const made = ['-p', 'udp', '-s', '10.0.0.3', '-d', '192.168.1.100', '--sport', '7', '--dport', '9'];
    await execa('conntrack', ['-I', ...made, '-t', '300', '--zone', '5']);
    await execa('conntrack', ['-I', ...made, '-t', '300', '--orig-zone', '6']);
    await conntrack.insert([plain(UDP, 11)]);

    expect(await listed()).toHaveLength(3);
    expect(originals(await dumped())).toEqual([plain(UDP, 11).original]);
  });
});

describe('a batch', () => {
  it('of any number says what was done and what was missing', async () => {
    const flows = many(1050);
    expect(await conntrack.insert(flows)).toMatchObject({ done: 1050, refused: 0 });
    expect(await dumped()).toHaveLength(1050);

    const some = originals(flows.slice(0, 333));
    expect(await conntrack.remove(some)).toMatchObject({ done: 333, missing: 0, refused: 0 });
    expect(await conntrack.touch(originals(flows))).toMatchObject({ done: 717, missing: 333, refused: 0 });
    expect(await conntrack.remove(originals(flows))).toMatchObject({ done: 717, missing: 333 });
    expect(await listed()).toEqual([]);
    expect(await conntrack.remove([])).toMatchObject({ done: 0, missing: 0 });
  });

  it('of both families in turn is done whole', async () => {
    const flows = many(750).flatMap((one, index) => [one, plain6(index % 2 === 0 ? TCP : UDP, 1024 + index)]);
    expect(await conntrack.insert(flows)).toMatchObject({ done: 1500, refused: 0 });
    expect(await dumped()).toHaveLength(1500);

    expect(await conntrack.remove(originals(flows.slice(0, 500)))).toMatchObject({ done: 500, missing: 0 });
    expect(await conntrack.touch(originals(flows))).toMatchObject({ done: 1000, missing: 500, refused: 0 });
    expect(await conntrack.remove(originals(flows))).toMatchObject({ done: 1000, missing: 500, refused: 0 });
    expect(await dumped()).toEqual([]);
  });

  it('of refused flows holds the first reasons and counts the rest', async () => {
    const flows = many(250);
    await conntrack.insert(flows);

    const result = await conntrack.insert(flows);

    expect(result).toMatchObject({ done: 0, missing: 0, refused: 250 });
    expect(result.failed).toHaveLength(20);
    expect(result.failed.every((error) => error instanceof KernelError)).toBe(true);
  });

  it('of 60000 tuples, none of them there, is answered whole', async () => {
    expect(await conntrack.touch(originals(many(60_000)))).toMatchObject({ done: 0, missing: 60_000 });
  });

  it('ends between two sends when its signal is given', async () => {
    const flows = many(20_000);
    const controller = new AbortController();
    setImmediate(() => controller.abort(new Error('enough')));

    await expect(conntrack.insert(flows, { signal: controller.signal })).rejects.toThrow('enough');

    const there = (await dumped()).length;
    expect(there).toBeGreaterThan(0);
    expect(there).toBeLessThan(20_000);
    expect(there % 100).toBe(0);
  });

  it('without the right to it is one error', async () => {
    const user = process.geteuid?.() ?? 0;
    process.seteuid?.(65_534);
    const powerless = new Conntrack();
    try {
      await expect(powerless.touch(originals(many(250)))).rejects.toMatchObject({
        name: 'KernelError',
        code: 'EPERM',
        message:
          'the kernel refused to touch 100 conntrack entries: EPERM, needs CAP_NET_ADMIN: run it as root',
      });
    } finally {
      powerless.close();
      process.seteuid?.(user);
    }
  });
});

describe('a touch', () => {
  const last = plain(UDP, 9);

  it('is announced as an update of exactly these entries and changes nothing', async () => {
    const events = await listen();
    const flows = many(200);
    await conntrack.insert(flows);
    const before = await listed();

    await conntrack.touch(originals(flows.slice(0, 150)));
    await conntrack.insert([last]);

    await expect.poll(() => events.lines()).toContainEqual(expect.stringContaining('sport=9 '));
    const updates = events.lines().filter((line) => line.includes('[UPDATE]'));
    expect(updates).toHaveLength(150);
    expect(updates.every((line) => /src=10\.1\.0\.1 .*\[ASSURED]/.test(line))).toBe(true);
    expect(events.lines().filter((line) => line.includes('[DESTROY]'))).toEqual([]);
    await events.end();
    await conntrack.remove([last.original]);
    const withoutTimeout = (line: string): string => line.replace(/^(\S+ +\d+) \d+/, '$1');
    expect((await listed()).map(withoutTimeout).sort()).toEqual(before.map(withoutTimeout).sort());
  });

  // With 2, the default, it depends on whether a program listened when the entry was made, be it in another namespace.
  it('of an entry made while nobody listened is announced with nf_conntrack_events = 1', async () => {
    const setting = '/proc/sys/net/netfilter/nf_conntrack_events';
    const before = await readFile(setting, 'utf8');
    await writeFile(setting, '1');
    await conntrack.insert([plain(TCP, 5)]);
    const events = await listen();

    await conntrack.touch([plain(TCP, 5).original]);
    await conntrack.insert([last]);

    await expect.poll(() => events.lines()).toContainEqual(expect.stringContaining('sport=9 '));
    expect(events.lines().filter((line) => line.includes('[UPDATE]'))).toHaveLength(1);
    await events.end();
    await conntrack.remove([last.original, plain(TCP, 5).original]);
    await writeFile(setting, before);
  });
});

/** The conntrack program printing events, begun and listening. */
const listen = async (): Promise<{ lines: () => string[]; end: () => Promise<void> }> => {
  let text = '';
  const program = execa('conntrack', ['-E'], { reject: false });
  program.stdout.on('data', (data) => {
    text += String(data);
  });
  // A netfilter socket with groups in the kernel's list of sockets; nobody else has one here
  const listening = async (): Promise<boolean> =>
    (await readFile('/proc/net/netlink', 'utf8'))
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .some(([, protocol, , groups]) => protocol === '12' && Number.parseInt(groups ?? '', 16) !== 0);
  await expect.poll(listening).toBe(true);
  return {
    lines: () => text.split('\n').filter((line) => line !== ''),
    end: async () => {
      program.kill();
      await program;
    },
  };
};

describe('a dump', () => {
  it('can be left early, and another begun', async () => {
    await conntrack.insert(many(5000));

    for await (const part of conntrack.dump()) {
      expect(part.length).toBeGreaterThan(0);
      break;
    }

    expect(await dumped()).toHaveLength(5000);
  });

  it('runs beside another and beside requests', async () => {
    await conntrack.insert(many(5000));

    const [first, second, touched] = await Promise.all([
      dumped(),
      dumped(),
      conntrack.touch(originals(many(5000))),
    ]);

    expect([first.length, second.length, touched.done]).toEqual([5000, 5000, 5000]);
  });

  it('ends with the reason of its signal', async () => {
    await conntrack.insert(many(5000));
    const controller = new AbortController();
    const read = async (): Promise<void> => {
      for await (const _ of conntrack.dump({ signal: controller.signal })) {
        controller.abort(new Error('enough'));
      }
    };

    await expect(read()).rejects.toThrow('enough');
    await expect(read()).rejects.toThrow('enough');
  });

  it('ends when the socket is closed in the middle', async () => {
    await conntrack.insert(many(5000));
    const read = async (): Promise<void> => {
      for await (const _ of conntrack.dump()) {
        conntrack.close();
      }
    };

    await expect(read()).rejects.toThrow(ChannelClosedError);
    await expect(conntrack.touch([plain(TCP, 1).original])).rejects.toThrow(ChannelClosedError);
  });
});

describe('find', () => {
  it('gives the entries that there are, in the order asked for', async () => {
    const flows = [...many(80), plain6(TCP, 40_000), plain(UDP, 40_001)];
    expect(await conntrack.insert(flows)).toMatchObject({ done: flows.length });
    const gone = [plain(TCP, 999), plain6(UDP, 999)].map(({ original }) => original);
    const asked = [gone[0], ...originals(flows), gone[1]].filter((one) => one !== undefined);
    const found = await conntrack.find(asked);
    expect(found.map((one) => one?.original)).toEqual([undefined, ...originals(flows), undefined]);
    expect(found[1]?.timeout).toBeGreaterThan(590);
  });

  it('gives nothing for nothing', async () => {
    expect(await conntrack.find([])).toEqual([]);
  });
});
