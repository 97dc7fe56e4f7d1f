import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ForgeryError, FrameError, FrameStream } from '../../../src/peers/frames.ts';

const KEY = Buffer.alloc(32, 7);
/** For silence that is awaited, and for what comes late only where the processor is busy. */
const BOUND = 500;
const PATIENT = 20_000;
let server: Server;
let ends: readonly [Socket, Socket];

/** Two ends of a connection over loopback. */
const connected = async (): Promise<readonly [Socket, Socket]> => {
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const near = connect(port, '127.0.0.1');
  const far = await accepted;
  near.on('error', () => {});
  far.on('error', () => {});
  return [near, far];
};

beforeEach(async () => {
  ends = await connected();
});

afterEach(() => {
  for (const end of ends) {
    end.destroy();
  }
  server.close();
});

const stream = (index: 0 | 1, key = KEY, bound = PATIENT): FrameStream =>
  new FrameStream(ends[index], key, index === 0 ? 'client' : 'server', bound, 'comparison with fw2');

/** Everything that one side writes, as bytes, so that a test can send it otherwise. */
const recorded = async (...payloads: readonly string[]): Promise<Buffer> => {
  const client = stream(0);
  const chunks: Buffer[] = [];
  ends[1].on('data', (chunk) => chunks.push(chunk));
  for (const payload of payloads) {
    await client.write('hashes', Buffer.from(payload));
  }
  ends[0].end();
  await new Promise((resolve) => ends[1].once('end', resolve));
  for (const end of ends) {
    end.destroy();
  }
  server.close();
  ends = await connected();
  return Buffer.concat(chunks);
};

describe('FrameStream', () => {
  it('carries frames both ways, in order, of any size that is allowed', async () => {
    const [client, far] = [stream(0), stream(1)];
    const sizes = [0, 1, 8, 32_768, 40_000];
    for (const size of sizes) {
      await client.write('hashes', Buffer.alloc(size, 1));
      await far.write('missing', Buffer.alloc(size, 2));
    }
    for (const size of sizes) {
      expect(await far.read('hashes')).toEqual({ kind: 'hashes', payload: Buffer.alloc(size, 1) });
      expect(await client.read('end', 'missing')).toEqual({
        kind: 'missing',
        payload: Buffer.alloc(size, 2),
      });
    }
  });

  it('puts a frame together that comes byte by byte', async () => {
    const bytes = await recorded('slow');
    const far = stream(1);
    const read = far.read('hashes');
    for (const byte of bytes) {
      await new Promise((resolve) => ends[0].write(Buffer.from([byte]), resolve));
    }
    expect((await read).payload.toString()).toBe('slow');
  });

  it('refuses what another key sealed', async () => {
    await stream(0, Buffer.alloc(32, 8)).write('hashes', Buffer.from('forged'));
    await expect(stream(1).read('hashes')).rejects.toThrow(ForgeryError);
  });

  it('refuses garbage, naming where it came from', async () => {
    ends[0].write('GET / HTTP/1.1\r\n\r\n');
    const reading = stream(1).read('hashes');
    await expect(reading).rejects.toThrow(ForgeryError);
    await expect(reading).rejects.toThrow(/^comparison with fw2: a frame of \d+ bytes is none of ours$/);
  });

  it.each([0, 16, 40_018, 0x7fff_ffff, 0xffff_ffff])(
    'does not wait for a frame of %i bytes',
    async (length) => {
      const header = Buffer.alloc(4);
      header.writeUInt32BE(length);
      ends[0].write(header);
      await expect(stream(1).read('hashes')).rejects.toThrow(ForgeryError);
    },
  );

  it('refuses a frame that comes twice', async () => {
    const bytes = await recorded('once');
    const far = stream(1);
    ends[0].write(Buffer.concat([bytes, bytes]));
    expect((await far.read('hashes')).payload.toString()).toBe('once');
    await expect(far.read('hashes')).rejects.toThrow(/isn't from a peer, or the nodes' key files differ/);
  });

  it('refuses frames in another order', async () => {
    const bytes = await recorded('first', 'other');
    const half = bytes.length / 2;
    ends[0].write(Buffer.concat([bytes.subarray(half), bytes.subarray(0, half)]));
    await expect(stream(1).read('hashes')).rejects.toThrow(ForgeryError);
  });

  it('refuses its own frame that comes back', async () => {
    ends[1].on('data', (chunk) => ends[1].write(chunk));
    const client = stream(0);
    await client.write('hashes', Buffer.from('mirror'));
    await expect(client.read('hashes')).rejects.toThrow(ForgeryError);
  });

  it('refuses a frame of another connection', async () => {
    const bytes = await recorded('recorded');
    const far = stream(1);
    far.nonces = 'of this connection';
    ends[0].write(bytes);
    await expect(far.read('hashes')).rejects.toThrow(ForgeryError);
  });

  it('refuses a kind that is not awaited', async () => {
    await stream(0).write('done', Buffer.alloc(0));
    await expect(stream(1).read('hashes', 'end')).rejects.toThrow(/expected hashes or end, got done/);
  });

  it('ends with a connection that was cut, in a frame or between two', async () => {
    const bytes = await recorded('cut short');
    ends[0].end(bytes.subarray(0, 20));
    const reading = stream(1).read('hashes');
    await expect(reading).rejects.toThrow(FrameError);
    await expect(reading).rejects.toThrow('comparison with fw2: the peer closed the connection');
    await expect(reading).rejects.not.toThrow(ForgeryError);
  });

  it('gives up on a peer that says nothing', async () => {
    await expect(stream(1, KEY, BOUND).read('hashes')).rejects.toThrow(
      `comparison with fw2: nothing came for ${BOUND} ms`,
    );
  });

  it('does not wait for ever to write to a peer that has gone', async () => {
    const client = stream(0, KEY, BOUND);
    ends[1].destroy();
    const writing = async (): Promise<void> => {
      for (let frames = 0; frames < 1000; frames++) {
        await client.write('hashes', Buffer.alloc(40_000));
      }
    };
    await expect(writing()).rejects.toThrow(FrameError);
    await expect(client.write('end', Buffer.alloc(0))).rejects.toThrow(/the peer closed the connection/);
  });

  it('does not wait for ever to write to a peer that doesn’t read', async () => {
    const client = stream(0, KEY, BOUND);
    const writing = async (): Promise<void> => {
      for (let frames = 0; frames < 1000; frames++) {
        await client.write('hashes', Buffer.alloc(40_000));
      }
    };
    ends[1].pause();
    await expect(writing()).rejects.toThrow(FrameError);
  });
});
