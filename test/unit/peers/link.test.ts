import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ClusterConfig } from '../../../src/config/types.ts';
import { PeerLink } from '../../../src/peers/link.ts';
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
  const made = new PeerLink(config, node, key, {
    message: (from, body, session) => heard.push({ from, body, session }),
    rejected: (_, reason) => rejected.push(reason),
  });
  await made.open();
  open.push(made);
  return { link: made, peer, heard, rejected };
};

const ASK: Body = { type: 'ask', group: 'fw1_fw2', synced: true, id: 1 };

/** Each test has a port of its own, so that nothing late reaches the next one. */
let port = 40_000 + (process.pid % 10_000);
const loopback = (): ClusterConfig => {
  port += 2;
  return clusterConfig({
    sync: { interface: 'lo', mode: 'ftfw', replicas: 'kernel', port, key: '' },
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
});

const acquainted = async (one: Awaited<ReturnType<typeof link>>, other: Awaited<ReturnType<typeof link>>) => {
  await vi.waitFor(() => {
    one.link.send(one.peer, ASK);
    expect(other.heard.length).toBeGreaterThan(0);
  });
};

describe('PeerLink', () => {
  it('delivers a message between two that share the key', async () => {
    const config = loopback();
    const [one, other] = [await link(config, 0), await link(config, 1)];
    await acquainted(one, other);
    expect(other.heard[0]).toMatchObject({ from: 'fw1', body: ASK, session: one.link.session });
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

  it('drops a datagram that comes twice, and one of an agent that has ended', async () => {
    const config = loopback();
    const recorded: Buffer[] = [];
    const [one, other] = [await link(config, 0), await link(config, 1)];
    await acquainted(one, other);
    // A tap in fw2's place records what fw1 sends, with the session that fw2 really has.
    other.link.close();
    const tap = createSocket('udp4');
    await new Promise<void>((resolve) => tap.bind(config.sync.port + 1, '127.0.0.2', resolve));
    tap.on('message', (datagram) => recorded.push(datagram));
    one.link.send(one.peer, ASK);
    await vi.waitFor(() => expect(recorded.length).toBeGreaterThan(0));
    await new Promise<void>((resolve) => tap.close(() => resolve()));
    one.link.close();
    await other.link.open();
    const replay = createSocket('udp4');
    await new Promise<void>((resolve) => replay.bind(config.sync.port + 1, '127.0.0.1', resolve));
    const before = other.heard.length;
    const [datagram] = recorded;
    const send = (): void => replay.send(datagram ?? Buffer.alloc(0), config.sync.port + 1, '127.0.0.2');
    send();
    await vi.waitFor(() => expect(other.heard.length).toBe(before + 1));
    send();
    await vi.waitFor(() => expect(other.rejected.join()).toMatch(/a replay/));
    expect(other.heard.length).toBe(before + 1);
    await new Promise<void>((resolve) => replay.close(() => resolve()));
  });

  it('says which agent holds the place', async () => {
    const config = loopback();
    await link(config, 0);
    await expect(link(config, 0)).rejects.toThrow(/another agent runs on this node/);
  });
});
