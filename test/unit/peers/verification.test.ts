import { connect, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type ClusterConfig, type NodeConfig, peerPort } from '../../../src/config/types.ts';
import { ForgeryError, FrameError } from '../../../src/peers/frames.ts';
import { compareWith, serveVerification, type VerificationSource } from '../../../src/peers/verification.ts';
import { clusterConfig } from '../../support/cluster-config.ts';

const KEY = Buffer.alloc(32, 7);
const servers: Server[] = [];
const never = new AbortController().signal;

/** Each test has a port of its own. */
let port = 20_000 + (process.pid % 10_000);
const loopback = (sync = 5000): ClusterConfig => {
  port += 2;
  return clusterConfig({
    sync: { interface: 'lo', mode: 'ftfw', multicast: '225.0.0.50', replicas: 'kernel', port, key: '' },
    timeouts: { ...clusterConfig().timeouts, sync },
    nodes: [
      { name: 'fw1', id: 1, sync: '127.0.0.1', devices: {} },
      { name: 'fw2', id: 2, sync: '127.0.0.2', devices: {} },
    ],
  });
};

const nodeOf = (config: ClusterConfig, name: string): NodeConfig => {
  const node = config.nodes.find((one) => one.name === name);
  if (node === undefined) {
    throw new RangeError(`no node ${name}`);
  }
  return node;
};

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
  }
});

/** Nobody asks for copies. */
const sourcesOf = (flows: VerificationSource) => ({
  flows,
  copiesFor: (): VerificationSource => {
    throw new Error('copies were asked for');
  },
});

/** fw2 as the owner of `hashes`. */
const serve = async (config: ClusterConfig, hashes: readonly (readonly number[])[] = [[1, 2, 3]]) => {
  const asked: { buckets?: ReadonlySet<number>; touched?: ReadonlySet<number> } = {};
  const failures: unknown[] = [];
  const source: VerificationSource = {
    hashes: async function* (buckets) {
      asked.buckets = buckets;
      yield* hashes;
    },
    touch: async (_, missing) => {
      asked.touched = new Set(missing.keys());
      return missing.size;
    },
  };
  servers.push(
    await serveVerification(config, nodeOf(config, 'fw2'), KEY, sourcesOf(source), (from, error) =>
      failures.push([from, error]),
    ),
  );
  return { asked, failures };
};

const compare = (config: ClusterConfig, key = KEY, signal = never) =>
  compareWith(config, nodeOf(config, 'fw1'), nodeOf(config, 'fw2'), key, [4, 5], signal);

const all = async (lists: AsyncIterable<readonly number[]>): Promise<number[]> => {
  const found: number[] = [];
  for await (const list of lists) {
    found.push(...list);
  }
  return found;
};

/** Connects from `local` and gives what comes, until the other side closes. */
const raw = (config: ClusterConfig, local: string, send: (socket: Socket) => void): Promise<Buffer> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: '127.0.0.2', port: peerPort(config.sync), localAddress: local }, () =>
      send(socket),
    );
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });

describe('a comparison', () => {
  it('gives the owner’s hashes, and has it touch what is missing', async () => {
    const config = loopback();
    const biggest = 2 ** 52 - 1;
    const { asked, failures } = await serve(config, [[1, 2 ** 32, biggest], [], [7]]);
    const comparison = await compare(config);
    expect(await all(comparison.hashes)).toEqual([1, 2 ** 32, biggest, 7]);
    expect(await comparison.missing([biggest, 7])).toBe(2);
    expect(asked.buckets).toEqual(new Set([4, 5]));
    expect(asked.touched).toEqual(new Set([biggest, 7]));
    expect(failures).toEqual([]);
  });

  it('carries more than a frame holds, both ways', async () => {
    const config = loopback();
    const many = Array.from({ length: 20_000 }, (_, index) => index * 1_000_003);
    const { asked } = await serve(config, [many]);
    const comparison = await compare(config);
    expect(await all(comparison.hashes)).toEqual(many);
    expect(await comparison.missing(many)).toBe(20_000);
    expect(asked.touched?.size).toBe(20_000);
  });

  it('has nothing touched when nothing is missing', async () => {
    const config = loopback();
    const { asked } = await serve(config);
    const comparison = await compare(config);
    await all(comparison.hashes);
    expect(await comparison.missing([])).toBe(0);
    expect(asked.touched).toBeUndefined();
  });

  it('fails on both sides when the keys differ, naming the peer', async () => {
    const config = loopback();
    const { asked, failures } = await serve(config);
    const comparing = compare(config, Buffer.alloc(32, 8));
    await expect(comparing).rejects.toThrow(/^comparison with fw2 \(127\.0\.0\.2:\d+\): /);
    await expect(comparing).rejects.toThrow(FrameError);
    expect(failures).toEqual([['fw1', expect.any(ForgeryError)]]);
    expect(asked.buckets).toBeUndefined();
  });

  it('fails when nobody listens, naming the peer', async () => {
    await expect(compare(loopback())).rejects.toThrow(
      /^comparison with fw2 \(127\.0\.0\.2:\d+\): .*ECONNREFUSED/,
    );
  });

  it('ends when it is called off', async () => {
    const config = loopback();
    await serve(config, [[1], [2]]);
    const job = new AbortController();
    const comparison = await compare(config, KEY, job.signal);
    job.abort();
    await expect(all(comparison.hashes)).rejects.toThrow(FrameError);
  });

  it('has a replica list and send its copies, if their owner asks for those', async () => {
    const config = loopback();
    const asked: unknown[] = [];
    const copies: VerificationSource = {
      hashes: async function* (buckets) {
        asked.push([...buckets]);
        yield [4, 5];
      },
      touch: async (buckets, missing) => {
        asked.push([...buckets], [...missing.keys()]);
        return 1;
      },
    };
    const sources = {
      ...sourcesOf(copies),
      flows: {
        hashes: () => {
          throw new Error('its own flows were asked for');
        },
        touch: async () => 0,
      },
      copiesFor: (owner: string) => {
        asked.push(owner);
        return copies;
      },
    };
    servers.push(
      await serveVerification(config, nodeOf(config, 'fw2'), KEY, sources, (_, error) => asked.push(error)),
    );
    const peers = [nodeOf(config, 'fw1'), nodeOf(config, 'fw2')] as const;
    const comparison = await compareWith(config, ...peers, KEY, [1, 3], never, { copies: true });
    expect(await all(comparison.hashes)).toEqual([4, 5]);
    expect(await comparison.missing([5])).toBe(1);
    expect(asked).toEqual(['fw1', [1, 3], [1, 3], [5]]);
  });

  it('tells the replica when the owner broke off', async () => {
    const config = loopback();
    const source: VerificationSource = {
      hashes: async function* () {
        yield [1];
        throw new Error('the table could not be read');
      },
      touch: async () => 0,
    };
    const failures: unknown[] = [];
    servers.push(
      await serveVerification(config, nodeOf(config, 'fw2'), KEY, sourcesOf(source), (_, error) =>
        failures.push(error),
      ),
    );
    const comparison = await compare(config);
    await expect(all(comparison.hashes)).rejects.toThrow(/the peer closed the connection/);
    expect(failures).toEqual([new Error('the table could not be read')]);
  });
});

describe('the owner', () => {
  it('hears nobody but its peers', async () => {
    const config = loopback();
    const { failures } = await serve(config);
    expect(await raw(config, '127.0.0.3', (socket) => socket.write('hello'))).toEqual(Buffer.alloc(0));
    // Itself neither, so that nothing of its own can be sent back to it.
    expect(await raw(config, '127.0.0.2', (socket) => socket.write('hello'))).toEqual(Buffer.alloc(0));
    expect(failures).toEqual([]);
  });

  it.each([
    ['garbage', 'GET / HTTP/1.1\r\n\r\n'],
    ['a frame without an end', Buffer.from([255, 255, 255, 255])],
    ['a frame of nothing', Buffer.from([0, 0, 0, 0])],
  ])('closes at %s, says so, and goes on', async (_, bytes) => {
    const config = loopback();
    const { failures } = await serve(config);
    expect(await raw(config, '127.0.0.1', (socket) => socket.write(bytes))).toEqual(Buffer.alloc(0));
    expect(failures).toEqual([['fw1', expect.any(ForgeryError)]]);
    expect(String(failures)).toMatch(/comparison asked for by fw1: /);
    expect(await all((await compare(config)).hashes)).toEqual([1, 2, 3]);
  });

  it('gives up on a connection that says nothing, and serves others meanwhile', async () => {
    const config = loopback(300);
    const { failures } = await serve(config);
    const silent = raw(config, '127.0.0.1', () => {});
    expect(await all((await compare(config)).hashes)).toEqual([1, 2, 3]);
    expect(await silent).toEqual(Buffer.alloc(0));
    expect(String(failures)).toMatch(/nothing came for 300 ms/);
  });

  it('answers a greeting that was recorded, and nothing after it', async () => {
    const config = loopback();
    const recorded: Buffer[] = [];
    const relay = await record(config, recorded);
    await all((await compare(config)).hashes);
    relay.close();
    const { asked, failures } = await serve(config);
    const came = await raw(config, '127.0.0.1', (socket) => socket.write(Buffer.concat(recorded)));
    expect(came.length).toBeGreaterThan(0);
    expect(asked.buckets).toBeUndefined();
    expect(failures).toEqual([['fw1', expect.any(ForgeryError)]]);
  });
});

/** An owner that keeps every byte that a replica sends it: the place of somebody on the wire. */
const record = async (config: ClusterConfig, recorded: Buffer[]): Promise<Server> => {
  await serve(config);
  const server = servers.pop();
  if (server === undefined) {
    throw new RangeError('no server');
  }
  server.prependListener('connection', (socket: Socket) => {
    socket.on('data', (chunk) => recorded.push(chunk));
  });
  return server;
};
