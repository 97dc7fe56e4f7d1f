import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import * as z from 'zod';
import { HashTable } from '../cluster/hash-table.ts';
import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { peerPort } from '../config/types.ts';
import { ForgeryError, FrameStream } from './frames.ts';
import { reach } from './reach.ts';

/** Hashes in one frame; 8 bytes each. */
export const HASHES_PER_FRAME = 4096;

/** What a node does for a peer that compares its table. */
export interface VerificationSource {
  /** The hashes of this node's flows in those of `buckets` that it may list. */
  readonly hashes: (buckets: ReadonlySet<number>) => AsyncIterable<readonly number[]>;
  /** Touches the flows with these hashes, so that they go out again. Returns how many were there. */
  readonly touch: (buckets: ReadonlySet<number>, hashes: HashTable) => Promise<number>;
}

export interface VerificationSources {
  /** For a replica: the flows that this node owns. */
  readonly flows: VerificationSource;
  /** For an owner that has lost states: this node's copies of what that peer owns. */
  readonly copiesFor: (owner: string) => VerificationSource;
}

/** An answer to one comparison: the replica reads `hashes` to the end, then names what it misses. */
export interface Comparison {
  readonly hashes: AsyncIterable<readonly number[]>;
  /** Returns how many flows the owner touched. Closes the connection. */
  readonly missing: (hashes: Iterable<number>) => Promise<number>;
  readonly close: () => void;
}

const nonce = z.object({ nonce: z.string().length(32) });
const request = z.object({
  buckets: z.array(z.number().int().nonnegative()).max(4096),
  /** Of a version that doesn't know it, an owner asks in vain: that lists what it owns itself, nothing. */
  copies: z.boolean().optional(),
});
const done = z.object({ touched: z.number().int().nonnegative() });

/** Serves comparisons to the peers on the node's sync address (TCP, sync.port + 1). */
export const serveVerification = async (
  config: ClusterConfig,
  node: NodeConfig,
  key: Buffer,
  sources: VerificationSources,
  failed: (from: string, error: unknown) => void,
): Promise<Server> => {
  const server = createServer((socket) => {
    const from = config.nodes.find((peer) => peer.sync === socket.remoteAddress && peer !== node);
    socket.on('error', () => {});
    // An agent that ends doesn't wait for its peers.
    socket.unref();
    if (from === undefined) {
      socket.destroy();
      return;
    }
    serveOne(socket, key, config.timeouts.sync, sources, from.name)
      .catch((error: unknown) => failed(from.name, error))
      .finally(() => socket.destroy());
  });
  server.maxConnections = 16;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: node.sync, port: peerPort(config.sync), exclusive: true }, resolve);
  });
  return server;
};

/**
 * Asks `peer`, the owner, for the hashes of `buckets`; with `copies`, as their owner, for those of the peer's copies of them.
 * Throws FrameErrors.
 */
export const compareWith = async (
  config: ClusterConfig,
  node: NodeConfig,
  peer: NodeConfig,
  key: Buffer,
  buckets: readonly number[],
  signal: AbortSignal,
  { copies = false }: { readonly copies?: boolean } = {},
): Promise<Comparison> => {
  signal.throwIfAborted();
  const route = { host: peer.sync, port: peerPort(config.sync), localAddress: node.sync };
  const place = `comparison with ${peer.name} (${route.host}:${route.port})`;
  const socket = await reach(route, place, signal);
  const abort = (): void => {
    socket.destroy();
  };
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const stream = new FrameStream(socket, key, 'client', config.timeouts.sync, place);
  const close = (): void => {
    signal.removeEventListener('abort', abort);
    stream.close();
  };
  try {
    await greetAsClient(stream);
    await stream.write('request', json(copies ? { buckets, copies } : { buckets }));
  } catch (error) {
    close();
    throw error;
  }
  return {
    hashes: readHashes(stream),
    missing: async (hashes) => {
      try {
        for (const part of inFrames(hashes)) {
          await stream.write('missing', packHashes(part));
        }
        await stream.write('end', Buffer.alloc(0));
        return parse(done, (await stream.read('done')).payload).touched;
      } finally {
        close();
      }
    },
    close,
  };
};

const serveOne = async (
  socket: Socket,
  key: Buffer,
  bound: number,
  sources: VerificationSources,
  from: string,
): Promise<void> => {
  const stream = new FrameStream(socket, key, 'server', bound, `comparison asked for by ${from}`);
  await greetAsServer(stream);
  const asked = parse(request, (await stream.read('request')).payload);
  const buckets = new Set(asked.buckets);
  const source = asked.copies ? sources.copiesFor(from) : sources.flows;
  let waiting: number[] = [];
  for await (const hashes of source.hashes(buckets)) {
    waiting.push(...hashes);
    if (waiting.length >= HASHES_PER_FRAME) {
      const parts = inFrames(waiting);
      waiting = [];
      for (const part of parts) {
        await stream.write('hashes', packHashes(part));
      }
    }
  }
  for (const part of inFrames(waiting)) {
    await stream.write('hashes', packHashes(part));
  }
  await stream.write('end', Buffer.alloc(0));
  const missing = new HashTable();
  for (;;) {
    const frame = await stream.read('missing', 'end');
    if (frame.kind === 'end') {
      break;
    }
    for (const hash of unpackHashes(frame.payload)) {
      missing.set(hash, 0);
    }
  }
  const touched = missing.size > 0 ? await source.touch(buckets, missing) : 0;
  await stream.write('done', json({ touched }));
  socket.end();
  await new Promise((resolve) => socket.once('close', resolve));
};

/** Both sides draw a nonce; from then on every tag covers both. */
const greetAsClient = async (stream: FrameStream): Promise<void> => {
  const mine = randomBytes(16).toString('hex');
  await stream.write('hello', json({ nonce: mine }));
  const theirs = parse(nonce, (await stream.read('hello')).payload).nonce;
  stream.nonces = `${mine}${theirs}`;
};

const greetAsServer = async (stream: FrameStream): Promise<void> => {
  const theirs = parse(nonce, (await stream.read('hello')).payload).nonce;
  const mine = randomBytes(16).toString('hex');
  await stream.write('hello', json({ nonce: mine }));
  stream.nonces = `${theirs}${mine}`;
};

async function* readHashes(stream: FrameStream): AsyncIterable<readonly number[]> {
  for (;;) {
    const frame = await stream.read('hashes', 'end');
    if (frame.kind === 'end') {
      return;
    }
    yield unpackHashes(frame.payload);
  }
}

function* inFrames(hashes: Iterable<number>): Generator<readonly number[], void, undefined> {
  let part: number[] = [];
  for (const hash of hashes) {
    if (part.push(hash) === HASHES_PER_FRAME) {
      yield part;
      part = [];
    }
  }
  if (part.length > 0) {
    yield part;
  }
}

/** Hashes are whole numbers below 2^53: each goes as an unsigned 64-bit number, big-endian. */
const packHashes = (hashes: readonly number[]): Buffer => {
  const packed = Buffer.allocUnsafe(hashes.length * 8);
  hashes.forEach((hash, index) => {
    packed.writeUInt32BE(Math.floor(hash / 0x1_0000_0000), index * 8);
    packed.writeUInt32BE(hash >>> 0, index * 8 + 4);
  });
  return packed;
};

const unpackHashes = (packed: Buffer): readonly number[] => {
  if (packed.length % 8 !== 0) {
    throw new ForgeryError(`${packed.length} bytes are no list of hashes`);
  }
  return Array.from(
    { length: packed.length / 8 },
    (_, index) => packed.readUInt32BE(index * 8) * 0x1_0000_0000 + packed.readUInt32BE(index * 8 + 4),
  );
};

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const parse = <T>(schema: z.ZodType<T>, payload: Buffer): T => {
  try {
    return schema.parse(JSON.parse(payload.toString('utf8')));
  } catch (cause) {
    throw new ForgeryError('a frame with unexpected content; is the peer of another version?', { cause });
  }
};
