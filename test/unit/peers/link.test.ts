import { createSocket, type Socket } from 'node:dgram';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ClusterConfig } from '../../../src/config/types.ts';
import { type Claim, PeerLink } from '../../../src/peers/link.ts';
import type { Body } from '../../../src/peers/message.ts';
import { clusterConfig } from '../../support/cluster-config.ts';

const KEY = Buffer.alloc(32, 7);
const open: PeerLink[] = [];

const link = async (config: ClusterConfig, index: number, key = KEY) => {
  const [node, peer] = index === 0 ? config.nodes : [...config.nodes].reverse();
  if (node === undefined || peer === undefined) {
    throw new Error('two nodes expected');
  }
  const heard: { from: string; body: Body; session: string }[] = [];
  const rejected: string[] = [];
  const claims: (Claim & { readonly from: string })[] = [];
  const made = new PeerLink(config, node, key, {
    message: (from, body, session) => heard.push({ from, body, session }),
    claimed: (from, claim) => claims.push({ from, ...claim }),
    rejected: (_, reason) => rejected.push(reason),
  });
  await made.open();
  open.push(made);
  return { link: made, peer, heard, rejected, claims };
};

const ASK: Body = { type: 'ask', group: 'fw1_fw2', synced: true, id: 1 };

/** Each test has a port of its own, so that nothing late reaches the next one. */
let port = 40_000 + (process.pid % 10_000);
const loopback = (): ClusterConfig => {
  port += 2;
  return clusterConfig({
    sync: { interface: 'lo', mode: 'ftfw', multicast: '225.0.0.50', replicas: 'kernel', port, key: '' },
    nodes: [
      { name: 'fw1', id: 1, sync: '127.0.0.1', devices: {} },
      { name: 'fw2', id: 2, sync: '127.0.0.2', devices: {} },
    ],
  });
};

afterEach(() => {
  for (const each of open.splice(0)) {
    each.close();
  }
  return Promise.all(replays.splice(0).map(closed));
});

type Linked = Awaited<ReturnType<typeof link>>;

const acquainted = async (one: Linked, other: Linked, session = one.link.session) => {
  await vi.waitFor(() => {
    one.link.send(one.peer, ASK);
    expect(other.heard.some((message) => message.session === session)).toBe(true);
  });
};

/**
 * Records one datagram from `one` to `other` that is fresh, and keeps `other` from seeing it; ends `one`. Returns what
 * sends it, from its address: repeatedly, and telling whether anything came back.
 */
const record = async (config: ClusterConfig, one: Linked, other: Linked) => {
  await acquainted(one, other);
  const port = config.sync.port + 1;
  other.link.close();
  const tap = await bound('127.0.0.2', port);
  const recorded = new Promise<Buffer>((resolve) => tap.once('message', resolve));
  one.link.send(one.peer, ASK);
  const datagram = await recorded;
  await closed(tap);
  one.link.close();
  await other.link.open();
  return async (): Promise<() => boolean> => {
    const socket = await bound('127.0.0.1', port);
    let answered = false;
    socket.once('message', () => {
      answered = true;
    });
    replays.push(socket);
    socket.send(datagram, port, '127.0.0.2');
    return () => answered;
  };
};

/** Both datagrams of one message from `one`, which ends, that `other` doesn't get to see. */
const tapped = async (config: ClusterConfig, one: Linked, other: Linked, body: Body) => {
  other.link.close();
  const tap = await bound('127.0.0.2', config.sync.port + 1);
  const caught: { datagram: Buffer; port: number }[] = [];
  tap.on('message', (datagram, { port }) => caught.push({ datagram, port }));
  one.link.send(one.peer, body);
  await vi.waitFor(() => expect(caught).toHaveLength(2));
  await closed(tap);
  one.link.close();
  await other.link.open();
  return caught;
};

const idsOf = (linked: Linked): readonly number[] =>
  linked.heard.flatMap(({ body }) => (body.type === 'ask' ? [body.id] : []));

const replays: Socket[] = [];

const bound = async (address: string, port: number): Promise<Socket> => {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  await new Promise<void>((resolve) => socket.bind(port, address, resolve));
  return socket;
};

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.close(() => resolve()));

describe('PeerLink', () => {
  it('delivers a message between two that share the key', async () => {
    const config = loopback();
    const [one, other] = [await link(config, 0), await link(config, 1)];
    await acquainted(one, other);
    expect(other.heard[0]).toMatchObject({ from: 'fw1', body: ASK, session: one.link.session });
  });

  it.each([
    ['another name, sealed with the same key', KEY, 'other', 'other'],
    ['another name, sealed with another key', Buffer.alloc(32, 8), 'other', 'other'],
    ['the same name, sealed with another key', Buffer.alloc(32, 8), 'test', 'test'],
  ])('tells of a cluster of %s', async (_, key, cluster, said) => {
    const config = loopback();
    const [one, other] = [await link({ ...config, cluster }, 0, key), await link(config, 1)];
    await vi.waitFor(() => {
      one.link.send(one.peer, ASK);
      expect(other.claims).toContainEqual({ from: '127.0.0.1', cluster: said, node: 'fw1' });
    });
    expect(other.heard).toEqual([]);
  });

  it('tells of what it can read nothing of, and not of peers', async () => {
    const config = loopback();
    const [one, other] = [await link(config, 0), await link(config, 1)];
    await acquainted(one, other);
    expect(other.claims).toEqual([]);
    one.link.close();
    const socket = await bound('127.0.0.1', config.sync.port + 1);
    replays.push(socket);
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.alloc(3),
      Buffer.alloc(500, 1),
      Buffer.from('{"cluster":1}'.repeat(9)),
    ]) {
      other.claims.length = 0;
      socket.send(bytes, config.sync.port + 1, '127.0.0.2');
      await vi.waitFor(() =>
        expect(other.claims).toEqual([{ from: '127.0.0.1', cluster: undefined, node: undefined }]),
      );
    }
  });

  it('drops what another key sealed', async () => {
    const config = loopback();
    const [one, other] = [await link(config, 0, Buffer.alloc(32, 8)), await link(config, 1)];
    await vi.waitFor(() => {
      one.link.send(one.peer, ASK);
      expect(other.rejected.join()).toMatch(/isn't from a peer, or the nodes' key files .* differ/);
    });
    expect(other.heard).toEqual([]);
  });

  it('drops a datagram that comes twice', async () => {
    const config = loopback();
    const [one, other] = [await link(config, 0), await link(config, 1)];
    const replay = await record(config, one, other);
    const before = other.heard.length;
    await replay();
    await vi.waitFor(() => expect(other.heard.length).toBe(before + 1));
    await replay();
    await vi.waitFor(() => expect(other.rejected.join()).toMatch(/it came before/));
    expect(other.heard.length).toBe(before + 1);
  });

  it('drops a datagram for an agent that has been started again since', async () => {
    const config = loopback();
    const [one, other] = [await link(config, 0), await link(config, 1)];
    const replay = await record(config, one, other);
    other.link.close();
    const restarted = await link(config, 1);
    const greeting = await replay();
    // Its greeting shows that it has read the datagram.
    await vi.waitFor(() => expect(greeting()).toBe(true));
    expect(restarted.heard).toEqual([]);
  });

  it('drops a datagram of an agent that has been started again since', async () => {
    const config = loopback();
    const [one, other] = [await link(config, 0), await link(config, 1)];
    const replay = await record(config, one, other);
    const restarted = await link(config, 0);
    await acquainted(restarted, other, restarted.link.session);
    restarted.link.close();
    const ofTheOld = () => other.heard.filter(({ session }) => session === one.link.session).length;
    const before = ofTheOld();
    await replay();
    await vi.waitFor(() => expect(other.rejected.join()).toMatch(/an agent that has ended/));
    expect(ofTheOld()).toBe(before);
  });

  it('sends each datagram from its own port and from another one, and hears it once, whichever comes', async () => {
    const config = loopback();
    const [one, other] = [await link(config, 0), await link(config, 1)];
    await acquainted(one, other);
    const ofNumber = (wanted: number) => idsOf(other).filter((id) => id === wanted).length;
    const peerPort = config.sync.port + 1;
    const caught = await tapped(config, one, other, { ...ASK, id: 2 });
    expect(caught.map(({ port }) => port === peerPort).sort()).toEqual([false, true]);
    expect(ofNumber(2)).toBe(0);
    // Only on the other way; then on the first one, too late; then again, as nobody but a stranger would.
    const [own, another] = [await bound('127.0.0.1', peerPort), await bound('127.0.0.1', 0)];
    replays.push(own, another);
    const datagram = caught[0]?.datagram ?? Buffer.alloc(0);
    another.send(datagram, peerPort, '127.0.0.2');
    await vi.waitFor(() => expect(ofNumber(2)).toBe(1));
    own.send(datagram, peerPort, '127.0.0.2');
    own.send(datagram, peerPort, '127.0.0.2');
    await vi.waitFor(() => expect(other.rejected).toEqual([expect.stringMatching(/it came before/)]));
    expect(ofNumber(2)).toBe(1);
  });

  it('takes nothing for a replay that came on both ways', async () => {
    const config = loopback();
    const [one, other] = [await link(config, 0), await link(config, 1)];
    await acquainted(one, other);
    for (let id = 10; id < 30; id += 1) one.link.send(one.peer, { ...ASK, id });
    await vi.waitFor(() => expect(idsOf(other)).toContain(29));
    expect(idsOf(other).filter((id) => id >= 10)).toEqual(
      Array.from({ length: 20 }, (_, index) => 10 + index),
    );
    expect(other.rejected).toEqual([]);
  });

  it('says which agent holds the place', async () => {
    const config = loopback();
    await link(config, 0);
    await expect(link(config, 0)).rejects.toThrow(/another agent runs on this node/);
  });
});
