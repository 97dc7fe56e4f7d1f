import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Control } from '../../src/conntrackd/control.ts';
import {
  ConntrackdAbsent,
  ConntrackdStuck,
  ConntrackdUnfit,
  MalformedAnswer,
} from '../../src/conntrackd/errors.ts';
import { identityOf } from '../../src/conntrackd/identity.ts';
import { parseProcesses, parseRuntime } from '../../src/conntrackd/runtime.ts';
import { parseStatistics } from '../../src/conntrackd/statistics.ts';
import { eventually, Lab } from './conntrackd-lab.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.open();
  await lab.addNamespace('fw1');
  await lab.addNamespace('fw2');
  await lab.connect(
    { name: 'fw1', device: 'eth3', address: '10.99.0.1/24' },
    { name: 'fw2', device: 'sync0', address: '10.99.0.2/24' },
  );
});

afterAll(() => lab.close());

const insertFlow = (port: number) =>
  lab.run('fw1', 'conntrack', [
    ...[
      '-I',
      '-p',
      'udp',
      '-s',
      '192.168.0.3',
      '-d',
      '192.168.1.2',
      '--sport',
      String(port),
      '--dport',
      '53',
    ],
    ...['-t', '600'],
  ]);

const flowsInKernel = async (): Promise<number> => Number((await lab.run('fw1', 'conntrack', ['-C'])).stdout);

const active = async (control: Control): Promise<number> =>
  parseStatistics(await control.send('statistics')).internal.active;

describe('a conntrackd that runs', () => {
  it('answers each question in its order, and forgets its cache when told', async () => {
    const { control, kill } = await lab.conntrackd('fw1');
    try {
      await insertFlow(1000);
      await eventually('the flow is in the cache', async () =>
        (await active(control)) === 1 ? true : undefined,
      );
      const [runtime, processes, network, cache] = await Promise.all([
        control.send('runtime'),
        control.send('process'),
        control.send('network'),
        control.send('cache'),
      ]);
      expect(parseRuntime(runtime)).toMatchObject({
        eventsReceived: 1,
        netlinkOverruns: 0,
        netlinkBuffer: 67_108_864,
      });
      expect(parseProcesses(processes)).toEqual([]);
      expect(network).toMatch(/^network statistics:\n/);
      expect(cache).toMatch(/^cache:internal\t/);
      expect(await control.send('flushInternal')).toBe('');
      expect(await active(control)).toBe(0);
      expect(await flowsInKernel()).toBe(1);
    } finally {
      await kill();
      await lab.run('fw1', 'conntrack', ['-F']);
    }
  });
});

describe('absent', () => {
  it('is said of a socket that is not there, one that a killed conntrackd left, and a file', async () => {
    const nowhere = new Control(join(lab.directory, 'none.sock'), { timeout: 1000 });
    await expect(nowhere.send('statistics')).rejects.toThrow(ConntrackdAbsent);
    await expect(nowhere.send('statistics')).rejects.toThrow(
      /no conntrackd listens on .*none\.sock; start it/,
    );
    const { control, kill } = await lab.conntrackd('fw1');
    await kill();
    await expect(control.send('statistics')).rejects.toThrow(ConntrackdAbsent);
    await expect(control.send('flushInternal')).rejects.toThrow(ConntrackdAbsent);
    await expect(new Control('/etc/passwd', { timeout: 1000 }).send('queue')).rejects.toThrow(
      ConntrackdAbsent,
    );
  });
});

describe('stuck', () => {
  it('is said within the bound, and what was to act is not done afterwards', async () => {
    const { socket, control, pid, kill } = await lab.conntrackd('fw1');
    try {
      await insertFlow(1001);
      await eventually('the flow is in the cache', async () =>
        (await active(control)) === 1 ? true : undefined,
      );
      process.kill(pid, 'SIGSTOP');
      const hasty = new Control(socket, { timeout: 100 });
      const start = performance.now();
      await expect(hasty.send('flushInternal')).rejects.toThrow(ConntrackdStuck);
      expect(performance.now() - start).toBeLessThan(1000);
      process.kill(pid, 'SIGCONT');
      expect(await active(control)).toBe(1);
    } finally {
      await kill();
      await lab.run('fw1', 'conntrack', ['-F']);
    }
  });

  it('is said at once when nobody has emptied the backlog for long, and passes', async () => {
    const { socket, control, pid, kill } = await lab.conntrackd('fw1');
    try {
      process.kill(pid, 'SIGSTOP');
      const hasty = new Control(socket, { timeout: 5 });
      const answers = await Promise.allSettled(Array.from({ length: 120 }, () => hasty.send('runtime')));
      expect(
        answers.every((answer) => answer.status === 'rejected' && answer.reason instanceof ConntrackdStuck),
      ).toBe(true);
      await expect(control.send('runtime')).rejects.toMatchObject({ cause: { code: 'EAGAIN' } });
      process.kill(pid, 'SIGCONT');
      await eventually(
        'it answers again',
        async () => (await control.send('runtime').catch(() => undefined)) ?? undefined,
      );
    } finally {
      await kill();
    }
  });
});

describe('unfit', () => {
  it('is said before the kernel is flushed by one without an internal cache', async () => {
    const { control, kill } = await lab.conntrackd('fw1', (text) =>
      text
        .replace('Mode FTFW', 'Mode NOTRACK')
        .replace(/ResendQueueSize.*/, 'DisableInternalCache on')
        .replace(/ACKWindowSize.*/, ''),
    );
    try {
      await insertFlow(1002);
      await expect(control.send('flushInternal')).rejects.toThrow(ConntrackdUnfit);
      await expect(control.send('bulk')).rejects.toThrow(/bulk not sent: .*it says "internal bypass:"/);
      expect(await flowsInKernel()).toBe(1);
      const statistics = await control.send('statistics');
      expect(() => parseStatistics(statistics)).toThrow(MalformedAnswer);
    } finally {
      await kill();
      await lab.run('fw1', 'conntrack', ['-F']);
    }
  });

  it('is said of one that only counts', async () => {
    const { control, kill } = await lab.conntrackd('fw1', (text) =>
      text.replace(/Sync \{[\s\S]*\nGeneral/, 'Stats {\n}\nGeneral'),
    );
    try {
      await expect(control.send('flushInternal')).rejects.toThrow(ConntrackdUnfit);
      const statistics = await control.send('statistics');
      expect(() => parseStatistics(statistics)).toThrow('"message tracking" is missing');
    } finally {
      await kill();
    }
  });
});

describe('identityOf', () => {
  it('stays while one runs and changes with every start', async () => {
    await rm(join(lab.directory, 'fw1.sock'), { force: true });
    expect(await identityOf(join(lab.directory, 'fw1.sock'))).toBeUndefined();
    expect(await identityOf('/etc/passwd/x')).toBeUndefined();
    const seen = new Set<string | undefined>();
    for (let start = 0; start < 5; start += 1) {
      const { socket, control, kill } = await lab.conntrackd('fw1');
      const identity = await identityOf(socket);
      expect(identity).toBeDefined();
      await control.send('statistics');
      await control.send('flushInternal');
      expect(await identityOf(socket)).toBe(identity);
      await kill();
      expect(await identityOf(socket)).toBe(identity);
      seen.add(identity);
    }
    expect(seen.size).toBe(5);
  });
});

describe('another program on the socket', () => {
  /** Answers every command with `answer` and notes what came and how many at once waited for their answer. */
  const serve = async (path: string, answer: string): Promise<{ server: Server; seen: Seen }> => {
    const seen: Seen = { requests: [], most: 0 };
    let connected = 0;
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      connected += 1;
      seen.most = Math.max(seen.most, connected);
      socket.on('error', () => {});
      socket.once('data', (request: Buffer) => {
        seen.requests.push(request);
        setImmediate(() => {
          connected -= 1;
          socket.end(answer);
        });
      });
    });
    server.listen(path);
    await once(server, 'listening');
    return { server, seen };
  };
  interface Seen {
    readonly requests: Buffer[];
    most: number;
  }

  it('gives a text that is refused', async () => {
    const path = join(lab.directory, 'other.sock');
    const { server } = await serve(path, 'HTTP/1.1 400 Bad Request\r\n\r\n');
    try {
      const control = new Control(path, { timeout: 1000 });
      const answer = await control.send('statistics');
      expect(() => parseStatistics(answer)).toThrow('line 1: cannot read "HTTP/1.1 400 Bad Request"');
      await expect(control.send('flushInternal')).rejects.toThrow(ConntrackdUnfit);
    } finally {
      server.close();
    }
  });

  it('sees one connection at a time, with a native integer of four bytes', async () => {
    const path = join(lab.directory, 'count.sock');
    const { server, seen } = await serve(path, 'cache internal:\n');
    try {
      const control = new Control(path, { timeout: 1000 });
      await Promise.all([...Array.from({ length: 20 }, () => control.send('queue')), control.send('bulk')]);
      expect(seen.most).toBe(1);
      const numbers = seen.requests.map((request) => {
        expect(request).toHaveLength(4);
        return endianness() === 'LE' ? request.readInt32LE() : request.readInt32BE();
      });
      expect(numbers).toEqual([...Array.from({ length: 20 }, () => 36), 21, 22]);
    } finally {
      server.close();
    }
  });
});
