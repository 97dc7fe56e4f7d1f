/**
 * Calls by SIP. `sip-program answer ADDRESS`: takes calls there for ever. `sip-program call SERVER SOURCE...`: calls from all of
 * the sources at once; on stdout, for each, the datagrams of voice that it got.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';

const SIP = 5060;
/**
 * Where the server takes voice; the phones have the ports that follow, by tens. With SNAT two phones to an address can't have
 * the same: of the second the kernel drops the call (see docs/helpers.md).
 */
const VOICE = 4000;
const BOUND_MS = 2500;

/** The address and port that a message names for voice. */
const voiceIn = (message: string): { address: string; port: number } => ({
  address: /^c=IN IP4 (\S+)/m.exec(message)?.[1] ?? '',
  port: Number(/^m=audio (\d+)/m.exec(message)?.[1]),
});

const message = (lines: readonly string[], address: string, port: number): string => {
  const body = [
    'v=0',
    `o=- 1 1 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    '',
  ].join('\r\n');
  const head = ['Content-Type: application/sdp', `Content-Length: ${body.length}`, '', ''];
  return [...lines, ...head].join('\r\n') + body;
};

const open = async (
  address: string,
  port: number,
  take: (text: string, from: RemoteInfo) => void,
): Promise<Socket> => {
  const socket = createSocket('udp4');
  socket.on('message', (data, from) => take(data.toString(), from));
  await new Promise<void>((resolve) => socket.bind(port, address, resolve));
  return socket;
};

const answer = async (own: string): Promise<void> => {
  const voice = await open(own, VOICE, (text, from) =>
    voice.send(`answer to ${text}`, from.port, from.address),
  );
  const calls = await open(own, SIP, (text, from) => {
    if (!text.startsWith('INVITE')) return;
    const kept = text.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
    const lines = ['SIP/2.0 200 OK', ...kept, `Contact: <sip:server@${own}:${SIP}>`];
    calls.send(message(lines, own, VOICE), from.port, from.address);
    const caller = voiceIn(text);
    voice.send('greeting', caller.port, caller.address);
  });
};

const call = async (server: string, own: string, port: number): Promise<[string, readonly string[]]> => {
  const heard: string[] = [];
  const voice = await open(own, port, (text) => {
    heard.push(text);
  });
  const phone = await open(own, SIP, (text) => {
    if (!text.startsWith('SIP/2.0 200')) return;
    const other = voiceIn(text);
    voice.send('question', other.port, other.address);
  });
  const invite = [
    `INVITE sip:server@${server} SIP/2.0`,
    `Via: SIP/2.0/UDP ${own}:${SIP};branch=z9hG4bK-${own}`,
    `From: <sip:phone@${own}>;tag=1`,
    `To: <sip:server@${server}>`,
    `Call-ID: call@${own}`,
    'CSeq: 1 INVITE',
    `Contact: <sip:phone@${own}:${SIP}>`,
  ];
  phone.send(message(invite, own, port), SIP, server);
  const end = performance.now() + BOUND_MS;
  while (heard.length < 2 && performance.now() < end) await delay(20);
  voice.close();
  phone.close();
  return [own, heard.sort()];
};

const main = async (): Promise<void> => {
  const [, , role, server = '', ...sources] = process.argv;
  if (role === 'answer') return answer(server);
  const heard = await Promise.all(
    sources.map((source, index) => call(server, source, VOICE + 10 * (index + 1))),
  );
  process.stdout.write(JSON.stringify(Object.fromEntries(heard)));
};

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
