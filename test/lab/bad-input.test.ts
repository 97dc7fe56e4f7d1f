import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeEnvelope } from '../../src/peers/message.ts';
import { seal } from '../../src/peers/seal.ts';
import { attempt, picture } from './attempt.ts';
import { agentUp, bringUp } from './cluster.ts';
import { LogTail } from './log-tail.ts';
import { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { HOMES, readShares, untilShares } from './shares.ts';
import { captureDatagrams, sendDatagrams, sendStream } from './wire.ts';

const FIFO = '/run/conntrack-ha/keepalived.fifo';
const SOCKET = '/run/conntrack-ha/agent.sock';
const CONNTRACKD_CONF = '/etc/conntrackd/conntrackd.conf';

let lab: Lab;
let fw1: FirewallNode;

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') {
    console.error(await lab.logs(20));
  }
});

const cluster = { snat: true, manager: 'keepalived' } as const;

describe('a running agent', () => {
  let fw2: FirewallNode;
  let log: LogTail;

  beforeAll(async () => {
    lab = await Lab.create({ clients: 0, cluster });
    fw1 = lab.node('fw1');
    fw2 = lab.node('fw2');
    log = new LogTail(fw1);
    const [rendered] = await Promise.all([
      fw1.boot().then(() => fw1.product(['render', 'conntrackd'])),
      bringUp(fw2, 'keepalived'),
    ]);
    const bad = rendered
      .replace('StartupResync off', 'StartupResync on')
      .replace('NetlinkOverrunResync off', 'NetlinkOverrunResync on');
    await fw1.writeConfiguration(CONNTRACKD_CONF, bad);
    await fw1.startAgent();
    await agentUp(fw1);
  });

  afterAll(() => lab.close());

  it('has said which lines of conntrackd.conf lose flows, and that no conntrackd listens', async () => {
    const lines = (await fw1.daemon('agent').output())
      .split('\n')
      .filter((line) => line.includes('warning:'));
    expect(lines).toEqual([
      expect.stringMatching(
        / fw1: \/etc\/conntrackd\/conntrackd\.conf:\d+: StartupResync on: .+; StartupResync off$/,
      ),
      expect.stringMatching(
        / fw1: \/etc\/conntrackd\/conntrackd\.conf:\d+: NetlinkOverrunResync on: .+; .+$/,
      ),
      expect.stringMatching(/ fw1: no conntrackd listens on \/var\/run\/conntrackd\.sock; start it, or .+$/),
    ]);
    const text = (await fw1.run(['cat', CONNTRACKD_CONF])).split('\n');
    for (const line of lines.slice(0, 2)) {
      const [, number = '', directive = ''] = /conntrackd\.conf:(\d+): (\w+ on)/.exec(line) ?? [];
      expect(text[Number(number) - 1]?.trim()).toBe(directive);
    }
  });

  it('notices conntrackd when it comes', async () => {
    await log.forget();
    await fw1.startConntrackd(await fw1.product(['render', 'conntrackd']));
    await fw1.startKeepalived(await fw1.product(['render', 'keepalived']));
    await log.hears(/conntrackd answers/);
    await untilShares(lab, HOMES);
  });

  describe.each([
    [
      'garbage',
      'hello \u001b[2J\n',
      /keepalived\.fifo: not a line of keepalived's: "hello \\u001b\[2J"; ignored$/,
    ],
    ['cut', 'INSTANCE "fw1_', /not a line of keepalived's: "INSTANCE \\"fw1_"; ignored$/],
    [
      'of an unknown group',
      'INSTANCE "VI_1" MASTER 100\n',
      /"VI_1" is no group of this cluster; name the vrrp_instance .+; ignored$/,
    ],
    [
      'of an unknown state',
      'INSTANCE "fw1_fw2" DANCING 100\n',
      /unknown state DANCING of "fw1_fw2"; ignored$/,
    ],
    [
      'of 1 MB',
      `${'x'.repeat(1 << 20)}\n`,
      /ignored a line of 1048576 bytes; only keepalived is to write there$/,
    ],
  ])('that reads a line in the FIFO that is %s', (_, bytes, warning) => {
    it('warns once, and hears the next good line', async () => {
      const fifo = (text: string): Promise<void> => writeFile(fw1.machine.path(FIFO), text, { flag: 'a' });
      const whole = bytes.endsWith('\n');
      await log.warnsOnce(async () => {
        await fifo(bytes);
        if (!whole) {
          await fifo('INSTANCE "fw1_fw2" BACKUP 100\n');
        }
      }, warning);
      if (whole) {
        await fifo('INSTANCE "fw1_fw2" BACKUP 100\n');
      }
      // An owner whose manager says BACKUP serves on until a peer asks.
      await untilReason(/^keepalived says BACKUP/);
      await fifo('INSTANCE "fw1_fw2" MASTER 150\n');
      await untilReason(/^keepalived says MASTER/);
    });
  });

  it.each([
    ['not JSON', 'hello\n', /^malformed request: it is no JSON; expected one line such as/],
    ['of an unknown command', '{"command":"dance"}\n', /^malformed request: command: /],
    [
      'for an unknown group',
      '{"command":"takeover","target":"fw9","force":true}\n',
      /^"fw9" is neither a node nor a group; known are /,
    ],
    ['cut', '{"command":"status"', /^malformed request: 19 bytes without an end of line/],
    [
      'of 1 MB',
      `${'x'.repeat(1 << 20)}\n`,
      /^malformed request: a line of 1048576 bytes, the limit is 65536/,
    ],
    ['binary', Buffer.from([0, 255, 10, 1, 2, 3]), /^malformed request: it is no JSON/],
    ['nothing at all', undefined, /^malformed request: no line within 2000 ms/],
  ])('answers a request that is %s', async (_, bytes, reason) => {
    await log.forget();
    const socket = connect({ path: fw1.machine.path(SOCKET), allowHalfOpen: true });
    const reply = await received(socket, (open) => {
      if (bytes !== undefined) {
        open.end(bytes);
      }
    });
    expect(reply).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(reply)).toEqual({ error: expect.stringMatching(reason) });
  });

  it('drops datagrams that are forged, cut, too long, replayed or sent back', async () => {
    const { fromPeer, toPeer } = await captureDatagrams(fw1);
    const other = seal(
      Buffer.alloc(64, 1),
      'datagram',
      encodeEnvelope({
        version: 1,
        cluster: 'lab',
        from: 'fw2',
        to: 'fw1',
        session: 'a'.repeat(16),
        echo: '',
        sequence: 1,
        body: { type: 'ask', group: 'fw1_fw2', synced: true, id: 1 },
      }),
    );
    const garbage = [
      Buffer.from('hello'),
      Buffer.alloc(0),
      fromPeer.subarray(0, -1),
      other,
      Buffer.alloc(60_000, 1),
    ];
    const send = (...datagrams: readonly Buffer[]) => sendDatagrams(fw2, '10.99.0.2', datagrams);
    // At most one report a second, and one a minute of the same: what comes after them shows that they were read.
    await log.forget();
    await send(...garbage);
    await log.hears(/dropped/);
    await log.repeats(() => send(fromPeer), /from fw2/);
    await log.repeats(() => send(toPeer), /it says/);
    await log.hears(/ 10\.99\.0\.2.*\[other-cluster\]/);
    const warnings = await log.warnings();
    expect(warnings.filter((line) => line.endsWith('[other-cluster]'))).toHaveLength(1);
    expect(warnings.filter((line) => !line.endsWith('[other-cluster]'))).toEqual([
      expect.stringMatching(
        / fw1: dropped a message from 10\.99\.0\.2: it isn't from a peer, or the nodes' key files \(\S+\) differ$/,
      ),
      expect.stringMatching(/ fw1: dropped a message from fw2: it came before \(a replay, .+\)$/),
      expect.stringMatching(/ fw1: dropped a message from 10\.99\.0\.2: it says it is from fw1 of lab$/),
    ]);
  });

  it('closes a comparison that is garbage, in one line', async () => {
    await log.warnsOnce(
      () => sendStream(fw2, '10.99.0.2', Buffer.from('GET / HTTP/1.1\r\n\r\n')),
      /comparison asked for by fw2: a frame of \d+ bytes is none of ours$/,
    );
  });

  it('is not reached from an address that is not a peer’s', async () => {
    const dropped = async (): Promise<number> => {
      const chain = await fw1.run(['nft', 'list', 'chain', 'inet', 'conntrack_ha', 'from_peer']);
      return Number(/counter packets (\d+)/.exec(chain)?.[1]);
    };
    const before = await dropped();
    await fw2.machine.ip(['addr add 10.99.0.77/24 dev eth3']);
    await log.forget();
    await sendDatagrams(fw2, '10.99.0.77', [Buffer.from('hello')]);
    await expect(sendStream(fw2, '10.99.0.77', Buffer.from('hello'), 300)).rejects.toThrow(/timeout/);
    await fw2.machine.ip(['addr del 10.99.0.77/24 dev eth3']);
    expect(await dropped()).toBeGreaterThanOrEqual(before + 2);
    await log.hears(/ 10\.99\.0\.77.*\[other-cluster\]/);
    expect(await log.warnings()).toHaveLength(1);
  });

  it('says that another agent runs, and that one is not touched', async () => {
    const before = await picture(fw1);
    await log.forget();
    const { status, stdout, stderr } = await attempt(fw1, ['run']);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      `conntrack-ha: another agent runs on this node (${SOCKET}); stop it first, or use it`,
    );
    expect(await picture(fw1)).toBe(before);
    expect(fw1.daemon('agent').running).toBe(true);
  });

  it('goes on while conntrackd is stuck, and when it is killed', async () => {
    await log.warnsOnce(
      () => fw1.daemon('conntrackd').kill('SIGSTOP'),
      / fw1: conntrackd at \/var\/run\/conntrackd\.sock takes connections and doesn't answer .+; if it stays so, kill and start it \[conntrackd-stuck\]$/,
    );
    expect(JSON.parse(await fw1.product(['status', '--json'])).conntrackd).toBe('stuck');
    await writeFile(fw1.machine.path(FIFO), 'INSTANCE "fw1_fw2" BACKUP 100\n', { flag: 'a' });
    await untilReason(/^keepalived says BACKUP/);
    await writeFile(fw1.machine.path(FIFO), 'INSTANCE "fw1_fw2" MASTER 150\n', { flag: 'a' });
    await log.forget();
    await fw1.daemon('conntrackd').kill('SIGCONT');
    await log.hears(/conntrackd answers/);
    await log.warnsOnce(() => fw1.daemon('conntrackd').kill('SIGKILL'), / fw1: no conntrackd listens on /);
    expect(JSON.parse(await fw1.product(['status', '--json'])).conntrackd).toBe('absent');
    await log.forget();
    await fw1.startConntrackd();
    await log.hears(/conntrackd answers/);
  });

  it('has kept what it owns through all this, and ends at once though others hold its doors open', async () => {
    expect(await readShares(lab)).toBe(JSON.stringify([evens, odds]));
    const silent = connect(fw1.machine.path(SOCKET));
    silent.on('error', () => {});
    void sendStream(fw2, '10.99.0.2', Buffer.alloc(0), 20_000).catch(() => {});
    await until(
      'the connection',
      async () => (await fw1.run(['ss', '-Htn', 'state', 'established', 'sport', '= :3781'])) !== '',
      3000,
    );
    const began = performance.now();
    await fw1.daemon('agent').kill('SIGTERM');
    expect(performance.now() - began).toBeLessThan(2500);
    expect((await fw1.daemon('agent').output()).trimEnd()).toMatch(/agent ends \(SIGTERM\): .+$/);
    expect(await readShares(lab)).toBe(JSON.stringify([evens, odds]));
  });

  const untilReason = (reason: RegExp): Promise<string> =>
    until(
      `fw1_fw2: ${reason}`,
      async () => {
        const { groups }: { groups: readonly { name: string; reason: string }[] } = JSON.parse(
          await fw1.product(['status', '--json']),
        );
        return groups.find(({ name }) => name === 'fw1_fw2')?.reason ?? '';
      },
      5000,
      (text) => reason.test(text),
    );
});

const evens = Array.from({ length: 32 }, (_, index) => 2 * index);
const odds = evens.map((bucket) => bucket + 1);

/** All that comes until the other side closes. */
const received = (socket: Socket, send: (socket: Socket) => void): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    socket.on('connect', () => send(socket));
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('end', () => socket.destroy());
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
