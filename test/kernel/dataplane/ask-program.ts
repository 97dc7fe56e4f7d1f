/** Asks the echo program from several addresses at once. A Question as argument, Replies on stdout. */
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface Question {
  readonly protocol: 'udp' | 'tcp';
  readonly sources: readonly string[];
  /** 0: one that the kernel chooses. */
  readonly sourcePort: number;
  readonly to: string;
  readonly port: number;
  /** Bytes of each question. */
  readonly size: number;
}

/** For each source what came back: each text once per copy, or the code of an error. */
export type Replies = Readonly<Record<string, readonly string[]>>;

/** Questions from a source, numbered from 0. */
const COUNT = 3;
const BETWEEN_MS = 50;
const BOUND_MS = 1000;

const question: Question = JSON.parse(process.argv[2] ?? '');

interface Asker {
  readonly send: (text: string) => void;
  readonly close: () => void;
}

const openUdp = async (source: string, replies: string[]): Promise<Asker> => {
  const socket = createSocket(isIPv6(source) ? 'udp6' : 'udp4');
  socket.on('message', (data) => replies.push(data.toString().replace(/x+/, '')));
  socket.on('error', (error: NodeJS.ErrnoException) => replies.push(error.code ?? 'error'));
  await new Promise<void>((resolve) => socket.bind(question.sourcePort, source, resolve));
  await new Promise<void>((resolve) => socket.connect(question.port, question.to, resolve));
  return { send: (text) => socket.send(text, () => undefined), close: () => socket.close() };
};

const openTcp = async (source: string, replies: string[]): Promise<Asker> => {
  const { sourcePort, to, port } = question;
  const socket = connect({ host: to, port, localAddress: source, localPort: sourcePort, noDelay: true });
  socket.on('data', (data) => replies.push(data.toString().replace(/x+/, '')));
  socket.on('error', (error: NodeJS.ErrnoException) => replies.push(error.code ?? 'error'));
  return { send: (text) => void socket.write(text), close: () => socket.destroy() };
};

const ask = async (source: string): Promise<[string, readonly string[]]> => {
  const replies: string[] = [];
  const asker = await (question.protocol === 'tcp' ? openTcp : openUdp)(source, replies);
  for (let number = 0; number < COUNT; number += 1) {
    asker.send(`${number}`.padEnd(question.size, 'x'));
    await delay(BETWEEN_MS);
  }
  const end = performance.now() + BOUND_MS;
  while (replies.length < COUNT && performance.now() < end) await delay(20);
  // A second copy of an answer would follow at once.
  await delay(BETWEEN_MS);
  asker.close();
  return [source, replies];
};

const main = async (): Promise<void> => {
  process.stdout.write(JSON.stringify(Object.fromEntries(await Promise.all(question.sources.map(ask)))));
};

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
