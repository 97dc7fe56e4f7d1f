/**
 * Runs in a server. Echoes lines (TCP) and datagrams (UDP), checks bulk transfers, and reports on standard output,
 * every 100 ms, what is new about the flows it sees. Ends when its input closes.
 */
import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { NAMELESS, PORTS, type ServerReport } from './flow.ts';
import { readCommands, say } from './json-lines.ts';
import { Numbers } from './numbers.ts';
import { patternAt } from './pattern.ts';

let news = { twice: new Map<string, number>(), broken: new Map<string, string>(), ports: new Set<string>() };
const ports = new Map<string, number[]>();
const datagrams = new Map<string, Numbers>();

const notePort = (flow: string, port: number | undefined): void => {
  const seen = ports.get(flow) ?? [];
  if (flow !== NAMELESS && port !== undefined && seen.at(-1) !== port) {
    ports.set(flow, [...seen, port]);
    news.ports.add(flow);
  }
};

/** Resolves the first line of a connection, the name of its flow, and hands on what follows it. */
const takeName = (socket: Socket, begin: (flow: string, rest: Buffer) => void): void => {
  let head = Buffer.alloc(0);
  const take = (data: Buffer): void => {
    head = Buffer.concat([head, data]);
    const end = head.indexOf(10);
    if (end >= 0) {
      socket.off('data', take);
      begin(head.toString('latin1', 0, end), head.subarray(end + 1));
    }
  };
  socket.on('data', take);
  socket.on('error', () => socket.destroy());
};

const echo = createServer({ noDelay: true }, (socket) => {
  takeName(socket, (flow, rest) => {
    notePort(flow, socket.remotePort);
    socket.write(rest);
    socket.on('data', (data) => socket.write(data));
  });
});

const bulk = createServer({ noDelay: true }, (socket) => {
  takeName(socket, (flow, rest) => {
    notePort(flow, socket.remotePort);
    let position = 0;
    const take = (data: Buffer): void => {
      if (!data.equals(patternAt(position, data.length))) {
        news.broken.set(flow, `wrong data near byte ${position}`);
      }
      position += data.length;
      const count = Buffer.alloc(8);
      count.writeBigUInt64BE(BigInt(position));
      socket.write(count);
    };
    take(rest);
    socket.on('data', take);
  });
});

const udp = (['udp4', 'udp6'] as const).map((type) => {
  const socket = createSocket({ type, ipv6Only: type === 'udp6' });
  socket.on('message', (message, peer) => {
    const [flow = '', number] = message.toString('latin1').split(' ');
    const seen = datagrams.get(flow) ?? new Numbers();
    datagrams.set(flow, seen);
    notePort(flow, peer.port);
    if (seen.add(Number(number))) {
      socket.send(message, peer.port, peer.address);
    } else {
      news.twice.set(flow, (news.twice.get(flow) ?? 0) + 1);
    }
  });
  return socket;
});

const report = (): void => {
  const line: ServerReport = {
    at: Date.now(),
    twice: Object.fromEntries(news.twice),
    broken: Object.fromEntries(news.broken),
    ports: Object.fromEntries([...news.ports].map((flow) => [flow, ports.get(flow) ?? []])),
  };
  news = { twice: new Map(), broken: new Map(), ports: new Set() };
  say(line);
};

// Bounded by net.core.somaxconn, 4096: a server that waits for a processor must not be what a new connection fails for.
echo.listen({ port: PORTS.echo, backlog: 4096 });
bulk.listen(PORTS.bulk);
for (const socket of udp) socket.bind(PORTS.udp);
setInterval(report, 100);
readCommands(
  () => undefined,
  () => {
    report();
    process.stdout.write('', () => process.exit(0));
  },
);
