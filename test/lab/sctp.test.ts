import { expect, test } from 'vitest';
import { addressAt } from './flows.ts';
import { createLab } from './labs.ts';
import type { Lab } from './rig/lab.ts';
import type { Machine } from './rig/machine.ts';
import type { FirewallNode } from './rig/node.ts';
import { planClient, SERVER } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { Story } from './story.ts';

const FROM = addressAt(planClient(1), 'fw1');
const PORT = { client: 5000, server: 5001 } as const;
/** The same in both byte orders. */
const TAG = { client: 0x11111111, server: 0x22222222 } as const;
/** RFC 9260, section 3.2. */
const CHUNK = { data: 0, heartbeat: 4, heartbeatAck: 5 } as const;
const STEP_MS = 200;

/**
 * Sends an SCTP packet with one chunk, again and again if SECONDS isn't 0. Its checksum is 0. Perl, which Debian always has,
 * because not every kernel has sockets for SCTP, and Node none for raw IP.
 */
const SENDER = `
  use Socket;
  my ($from, $to, $port, $peer, $tag, $type, $seconds) = @ARGV;
  socket(my $socket, PF_INET, SOCK_RAW, 132) or die $!;
  bind($socket, sockaddr_in(0, inet_aton($from))) or die $!;
  my $chunk = pack("CCnNnnNa4", $type, 3, 20, 1, 0, 0, 0, "data");
  do {
    send($socket, pack("nnNN", $port, $peer, $tag, 0) . $chunk, 0, sockaddr_in(0, inet_aton($to)));
    select(undef, undef, undef, $seconds);
  } while ($seconds > 0)`;

const send = async (machine: Machine, from: 'client' | 'server', type: number, stepMs = 0): Promise<void> => {
  const ends = from === 'client' ? [FROM, SERVER] : [SERVER, FROM];
  const ports = from === 'client' ? [PORT.client, PORT.server] : [PORT.server, PORT.client];
  const argv = ['perl', '-e', SENDER, ...ends, ...ports, TAG[from], type, stepMs / 1000].map(String);
  stepMs === 0 ? await machine.run(argv) : await machine.spawn('sctp', argv);
};

/** Counts the data that comes to the server from now on. */
const countData = async (lab: Lab): Promise<() => Promise<number>> => {
  await lab.server.run(['nft', '-f', '-'], {
    input: `table ip lab_sctp {
      counter came {}
      chain in { type filter hook input priority 0; ip protocol sctp @th,96,8 ${CHUNK.data} counter name came; }
    }`,
  });
  return async () => {
    const text = await lab.server.run(['nft', 'list', 'counter', 'ip', 'lab_sctp', 'came']);
    return Number(/packets (\d+)/.exec(text)?.[1]);
  };
};

/** The entry of an established association. */
const establish = async (node: FirewallNode): Promise<void> => {
  const command = [
    `conntrack -I -p sctp --state ESTABLISHED --orig-vtag ${TAG.client} --reply-vtag ${TAG.server}`,
    `-u SEEN_REPLY,ASSURED -t 200 -s ${FROM} -d ${SERVER} --sport ${PORT.client} --dport ${PORT.server}`,
  ].join(' ');
  await node.run(command.split(' '));
};

const entries = (node: FirewallNode): Promise<string> => node.run(['conntrack', '-L', '-p', 'sctp']);

/** An association through fw1 that sends data; then fw1 dies. Returns how to read what has come, and both ends. */
const dyingOwner = async (prepare: (node: FirewallNode) => Promise<void>) => {
  const lab = await createLab({ cluster: { snat: false, manager: 'none' } });
  const story = await Story.begin(lab, 'none', []);
  for (const node of lab.nodes) {
    await node.run(['sysctl', '-q', '-w', 'net.netfilter.nf_conntrack_checksum=0']);
    await prepare(node);
  }
  const came = await countData(lab);
  const [client, survivor] = [lab.client('c1').machine, lab.node('fw2')];
  await send(client, 'client', CHUNK.data, STEP_MS);
  const pass = async (count: number): Promise<void> => {
    const end = Date.now() + count * STEP_MS;
    await until('time to pass', () => Date.now() > end, 10_000);
  };
  await pass(4);
  expect(await came()).toBe(0);
  await establish(lab.node('fw1'));
  await until('data', came, 3000, (count) => count > 3);
  const copy = await entries(survivor);
  await story.powerCut('fw1');
  const before = await came();
  await pass(5);
  // Tracked as what belongs to no association, or as one with another tag.
  expect(await came()).toBe(before);
  const heartbeat = async (): Promise<void> => {
    await send(client, 'client', CHUNK.heartbeat);
    await send(lab.server, 'server', CHUNK.heartbeatAck);
  };
  return { copy, before, came, heartbeat, pass };
};

test('an SCTP association goes on behind a new owner from its next heartbeat on', async () => {
  const { copy, before, came, heartbeat } = await dyingOwner(async () => {});
  expect(copy).toBe('');
  await heartbeat();
  await until('data', came, 3000, (count) => count > before + 3);
});

/** conntrackd's src/netlink.c, ctd_force_tcp_be_liberal: it sets TCP's flags whatever the protocol. */
test('were SCTP replicated, conntrackd would spoil its tag: no data would come any more', async () => {
  const { copy, before, came, heartbeat, pass } = await dyingOwner(async (node) => {
    const rendered = await node.product(['render', 'conntrackd']);
    await node.daemon('conntrackd').kill();
    await node.startConntrackd(rendered.replace('\tTCP\n', '\tTCP\n\t\t\tSCTP\n'));
  });
  expect(copy).toContain('sctp');
  await heartbeat();
  await pass(10);
  expect(await came()).toBe(before);
});
