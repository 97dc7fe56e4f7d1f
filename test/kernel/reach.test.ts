import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { UNTRACKED_PORTS } from '../../src/config/types.ts';
import { reach } from '../../src/peers/reach.ts';
import { run } from '../../src/system/run.ts';

const PORT = 3781;
const ROUTE = { host: '127.0.0.2', port: PORT, localAddress: '127.0.0.1' };
const never = new AbortController().signal;
let server: Server;

beforeAll(async () => {
  await run('ip', ['link', 'set', 'lo', 'up']);
  server = createServer((socket) => socket.end('here'));
  await new Promise<void>((resolve) => server.listen(PORT, ROUTE.host, resolve));
});
beforeEach(() => run('nft', ['flush', 'ruleset']));
afterAll(() => server.close());

/** As conntrack does that has no room for an entry: what it doesn't track passes. */
const dropWhere = async (match: string): Promise<void> => {
  const chain = '{ type filter hook prerouting priority raw; policy accept; }';
  await run('nft', [
    `add table inet t; add chain inet t c ${chain}; add rule inet t c tcp dport ${PORT} ${match} drop`,
  ]);
};

const connect = async (): Promise<number> => {
  const socket = await reach(ROUTE, 'comparison with fw2', never);
  const { localPort = 0 } = socket;
  let said = '';
  for await (const data of socket) said += String(data);
  expect(said).toBe('here');
  return localPort;
};

it('connects as anybody does where it is answered', async () => {
  expect(await connect()).toBeGreaterThan(UNTRACKED_PORTS.last);
});

it('connects from a port that is not tracked where nothing else is answered', async () => {
  const { first, last } = UNTRACKED_PORTS;
  await dropWhere(`tcp sport != ${first}-${last}`);
  const port = await connect();
  expect(port).toBeGreaterThanOrEqual(first);
  expect(port).toBeLessThanOrEqual(last);
});

it('gives a connection that nobody answers to its reader', async () => {
  await dropWhere('counter');
  const socket = await reach(ROUTE, 'comparison with fw2', never);
  expect(socket.connecting).toBe(true);
  socket.destroy();
});

it('fails at once where it is refused, naming the place', async () => {
  await expect(reach({ ...ROUTE, port: PORT + 1 }, 'comparison with fw2', never)).rejects.toThrow(
    /^comparison with fw2: .*ECONNREFUSED/,
  );
});

it('ends when it is called off', async () => {
  await dropWhere('counter');
  const off = new AbortController();
  const reached = reach(ROUTE, 'comparison with fw2', off.signal);
  off.abort();
  await expect(reached).rejects.toThrow(/it was called off/);
});
