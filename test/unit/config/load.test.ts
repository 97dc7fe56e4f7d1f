import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/config/error.ts';
import { loadConfig, parseConfig } from '../../../src/config/load.ts';
import { deviceOf, peerPort } from '../../../src/config/types.ts';
import { changed, SAMPLE } from './sample.ts';

describe('a configuration without a mistake', () => {
  test('is loaded with its defaults', () => {
    expect(parseConfig(SAMPLE, 'c.yaml')).toEqual({
      cluster: 'edge',
      seed: 0xdeadbeef,
      buckets: 64,
      nodes: [
        { name: 'fw1', id: 1, sync: '10.99.0.1', devices: {} },
        { name: 'fw2', id: 2, sync: '10.99.0.2', devices: { eth1: 'enp3s0' } },
      ],
      sync: {
        interface: 'eth3',
        mode: 'ftfw',
        multicast: '225.0.0.50',
        replicas: 'kernel',
        port: 3780,
        key: '/etc/conntrack-ha/key',
      },
      interfaces: [
        {
          name: 'eth1',
          side: 'inside',
          mac: '01:00:5e:00:01:01',
          addresses: [{ address: '192.168.0.5', prefix: 24 }],
          delivery: 'multicast',
          snat: [],
          networks: ['192.168.0.0/24'],
          probe: undefined,
        },
        {
          name: 'eth2',
          side: 'outside',
          mac: '01:00:5e:00:01:02',
          addresses: [{ address: '192.168.1.5', prefix: 24 }],
          delivery: 'multicast',
          snat: ['192.168.1.5'],
          networks: [],
          probe: undefined,
        },
      ],
      publish: [],
      helpers: [],
      firewall: 'nftables',
      prefilter: false,
      manager: 'keepalived',
      keepalived: { interface: 'eth1', advert: 0.1, vrid: 50 },
      pacemaker: { linger: 1000 },
      log: { level: 'info', format: 'auto' },
      timeouts: { conntrackd: 2000, peer: 1000, sync: 30_000, disagree: 2000, holddown: 0, lease: 30_000 },
      paths: {
        run: '/run/conntrack-ha',
        conntrackd: '/var/run/conntrackd.sock',
        conntrackdConf: '/etc/conntrackd/conntrackd.conf',
        keepalivedConf: '/etc/keepalived/keepalived.conf',
      },
    });
  });

  test('may leave out what has a default', () => {
    const short = SAMPLE.split('\n').filter((line) => !/^(seed|buckets)/.test(line));
    expect(parseConfig(short.join('\n'), 'c.yaml')).toEqual(parseConfig(SAMPLE, 'c.yaml'));
  });

  test('has its nodes by id, whatever their order in the file', () => {
    const text = changed(5, '  fw9: { id: 9, sync: 10.99.0.9 }');
    expect(parseConfig(text, 'c.yaml').nodes.map((node) => node.name)).toEqual(['fw2', 'fw9']);
  });

  test.each([
    ['0xdeadbeef', 0xdeadbeef],
    ['"0xDEADBEEF"', 0xdeadbeef],
    ['12345', 12345],
    ['"12345"', 12345],
    ['0', 0],
    ['0xffffffff', 0xffffffff],
  ])('takes the seed %s', (written, seed) => {
    expect(parseConfig(changed(2, `seed: ${written}`), 'c.yaml').seed).toBe(seed);
  });

  test('takes times in their units', () => {
    const times =
      'timeouts: { conntrackd: 1.5s, peer: 250ms, sync: 2m, disagree: 1h, holddown: 0, lease: 1m }';
    expect(parseConfig(SAMPLE + times, 'c.yaml').timeouts).toEqual({
      conntrackd: 1500,
      peer: 250,
      sync: 120_000,
      disagree: 3_600_000,
      holddown: 0,
      lease: 60_000,
    });
  });

  test('takes Pacemaker as the manager, without a VRID for each group', () => {
    const text = `${changed(20, '  vrid: 255')}manager: pacemaker\npacemaker: { linger: 250ms }`;
    expect(parseConfig(text, 'c.yaml')).toMatchObject({ manager: 'pacemaker', pacemaker: { linger: 250 } });
  });

  test('has its MACs in lower case', () => {
    const text = changed(12, '    mac: 01:00:5E:AB:CD:EF');
    expect(parseConfig(text, 'c.yaml').interfaces[0]?.mac).toBe('01:00:5e:ab:cd:ef');
  });

  test('takes the inside from the addresses, each network once', () => {
    const text = changed(
      13,
      '    addresses: [10.0.0.5/24, 10.0.0.6/24, 10.0.0.7/16, 10.9.0.5/24, 10.9.0.6/24]',
    );
    expect(parseConfig(text, 'c.yaml').interfaces[0]?.networks).toEqual(['10.0.0.0/16', '10.9.0.0/24']);
  });

  test('may name more networks inside than its own', () => {
    const text = changed(13, '    addresses: [10.0.0.5/24]\n    networks: [10.0.0.0/16, 172.16.0.0/12]');
    expect(parseConfig(text, 'c.yaml').interfaces[0]?.networks).toEqual(['10.0.0.0/16', '172.16.0.0/12']);
  });

  test('may translate to an address that is routed to it', () => {
    const text = changed(18, '    snat: [203.0.113.7]');
    expect(parseConfig(text, 'c.yaml').interfaces[1]?.snat).toEqual(['203.0.113.7']);
  });

  test('may probe a neighbour', () => {
    const text = changed(13, '    addresses: [192.168.0.5/24, 10.0.0.5/31]\n    probe: 10.0.0.4');
    expect(parseConfig(text, 'c.yaml').interfaces.map(({ probe }) => probe)).toEqual(['10.0.0.4', undefined]);
  });

  test.each([
    ['0', 0],
    ['0s', 0],
    ['15s', 15_000],
    ['24h', 86_400_000],
  ])('takes the lease %s', (written, lease) => {
    const text = `${SAMPLE}timeouts: { lease: ${written} }`;
    expect(parseConfig(text, 'c.yaml').timeouts.lease).toBe(lease);
  });

  test('may use anchors', () => {
    const text = changed(5, '  fw1: { id: 1, sync: 10.99.0.1, devices: &d { eth1: enp3s0 } }').replace(
      '10.99.0.2, devices: { eth1: enp3s0 }',
      '10.99.0.2, devices: *d',
    );
    expect(parseConfig(text, 'c.yaml').nodes[0]?.devices).toEqual({ eth1: 'enp3s0' });
  });

  test('gives the names of devices and the ports of agents', () => {
    const { nodes, sync } = parseConfig(SAMPLE, 'c.yaml');
    const [fw1, fw2] = nodes;
    expect(fw1 && deviceOf(fw1, 'eth1')).toBe('eth1');
    expect(fw1 && deviceOf(fw1, 'constructor')).toBe('constructor');
    expect(fw2 && deviceOf(fw2, 'eth1')).toBe('enp3s0');
    expect(peerPort(sync)).toBe(3781);
  });

  test('is the example', async () => {
    const example = await loadConfig('conf/cluster.yaml');
    expect(example.nodes.map((node) => node.name)).toEqual(['fw1', 'fw2']);
    expect(example.interfaces.map((one) => one.side)).toEqual(['inside', 'outside']);
  });

  test('is the example with the parts that are commented out', async () => {
    const text = (await readFile('conf/cluster.yaml', 'utf8'))
      .replace('    addresses: [192.168.0.5/24]\n    # addresses', '    addresses')
      .replace(/^( *)# (eth4|publish|paths):\n(?:\1# .*\n)+/gm, (block) =>
        block.replaceAll(/^( *)# /gm, '$1'),
      );
    expect(parseConfig(text, 'conf/cluster.yaml')).toMatchObject({
      interfaces: [{ addresses: { length: 3 } }, {}, { name: 'eth4', networks: ['172.16.0.0/24'] }],
      publish: [{ name: 'web' }, { name: 'turn' }],
    });
  });
});

describe('a file that is no configuration', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'config-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const failure = async (file: string): Promise<ConfigError> => {
    const error = await loadConfig(file).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ConfigError);
    return error instanceof ConfigError ? error : new ConfigError([]);
  };

  test('is not there', async () => {
    const error = await failure(join(directory, 'none.yaml'));
    expect(error.message).toBe(
      `${directory}/none.yaml: is not there; write it (conf/cluster.yaml is an example) or name another with -c FILE`,
    );
    expect(error.cause).toHaveProperty('code', 'ENOENT');
  });

  test('is a directory', async () => {
    expect((await failure(directory)).message).toMatch(/: can't be read: EISDIR.*; check its permissions/);
  });

  test('is not UTF-8', async () => {
    const file = join(directory, 'latin1.yaml');
    await writeFile(file, Buffer.from([0x63, 0x3a, 0x20, 0xe9]));
    expect((await failure(file)).message).toBe(`${file}: is not a text in UTF-8; save it as UTF-8`);
  });

  test('is huge', async () => {
    const file = join(directory, 'huge.yaml');
    await writeFile(file, Buffer.alloc(2 * 1024 * 1024, '#'));
    expect((await failure(file)).message).toContain(
      'is 2097152 bytes long; name the configuration with -c FILE',
    );
  });

  test('is one that is right once it is mended', async () => {
    const file = join(directory, 'cluster.yaml');
    await writeFile(file, SAMPLE);
    await chmod(file, 0o600);
    expect((await loadConfig(file)).cluster).toBe('edge');
  });
});

describe('whatever the text is', () => {
  const onlyConfigErrors = (text: string): void => {
    try {
      parseConfig(text, 'c.yaml');
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      if (error instanceof ConfigError) {
        expect(error.mistakes.length).toBeGreaterThan(0);
        expect(error.message.split('\n')).toHaveLength(error.mistakes.length);
        for (const mistake of error.mistakes) {
          expect(mistake.line).toBeGreaterThan(0);
          expect(mistake.column).toBeGreaterThan(0);
        }
      }
    }
  };

  test('nothing but a ConfigError is thrown: any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), onlyConfigErrors));
  });

  test('nothing but a ConfigError is thrown: YAML-like text', () => {
    const piece = fc.constantFrom(
      ...[
        'a',
        'nodes',
        'sync',
        ': ',
        ':',
        '\n',
        '\n  ',
        '\t',
        '- ',
        '{',
        '}',
        '[',
        ']',
        ', ',
        '&x ',
        '*x',
        '? ',
      ],
      ...[
        '!t ',
        '"',
        "'",
        '#',
        '|',
        '>',
        '---\n',
        '%YAML 1.1\n',
        '<<',
        'null',
        '~',
        '0x1',
        '1e9',
        '__proto__',
      ],
    );
    const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
    fc.assert(fc.property(text, onlyConfigErrors), { numRuns: 500 });
  });

  test('nothing but a ConfigError is thrown: the sample with a value of any kind anywhere', () => {
    const value = fc.oneof(
      fc.json({ maxDepth: 2 }),
      fc.constantFrom(
        'fd00::1',
        '10.99.0.1',
        '192.168.0.5/24',
        '[192.168.1.5/33]',
        '2s',
        '-1',
        '.nan',
        '.inf',
        '',
      ),
    );
    const all = `${SAMPLE}publish:
  web: { protocol: tcp, address: 192.168.1.5, port: 80-90, to: 192.168.0.80, toPort: 80-90 }
  dns: { protocol: udp, address: 192.168.1.5, port: 53, to: 192.168.0.53 }
helpers: [ftp]
firewall: xtables
`;
    const spots = [...all.matchAll(/(?<=: )[^\n{]+|(?<=: )\{[^\n]*\}|[a-z0-9]+(?=:)/g)];
    const spot = fc.constantFrom(...spots.map((match) => [match.index, match[0].length] as const));
    fc.assert(
      fc.property(spot, value, ([index, length], text) => {
        onlyConfigErrors(all.slice(0, index) + text + all.slice(index + length));
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['nested without end', '['.repeat(100_000)],
    ['nested in blocks', Array.from({ length: 2000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['holding itself', 'nodes: &n { fw1: *n }'],
    ['a list holding itself', '&a [*a]'],
    ['growing without end', bomb()],
  ])('nothing but a ConfigError is thrown: %s', (_, text) => {
    expect(() => parseConfig(text, 'c.yaml')).toThrow(ConfigError);
    onlyConfigErrors(text);
  });
});

/** Aliases of aliases: nine to the ninth values. */
function bomb(): string {
  const rows = Array.from({ length: 9 }, (_, row) => {
    const item = row === 0 ? 'x' : `*a${row - 1}`;
    return `a${row}: &a${row} [${Array.from({ length: 9 }, () => item).join(', ')}]`;
  });
  return rows.join('\n');
}
