/** Asks the echo program from several addresses at once by UDP. A Question as argument, Replies on stdout. */
import { createSocket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';

export interface Question {
  readonly sources: readonly string[];
  /** 0: any. */
  readonly sourcePort: number;
  readonly to: string;
  readonly port: number;
  /** Bytes of each datagram. */
  readonly size: number;
}

/** For each source what came back: each text once per copy, or the code of an error. */
export type Replies = Readonly<Record<string, readonly string[]>>;

/** Datagrams to a source, numbered from 0. */
const COUNT = 3;
const BETWEEN_MS = 50;
const BOUND_MS = 1000;

const question: Question = JSON.parse(process.argv[2] ?? '');

const ask = async (source: string): Promise<[string, readonly string[]]> => {
  const replies: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (data) => replies.push(data.toString().replace(/x+/, '')));
  socket.on('error', (error: NodeJS.ErrnoException) => replies.push(error.code ?? 'error'));
  await new Promise<void>((resolve) => socket.bind(question.sourcePort, source, resolve));
  await new Promise<void>((resolve) => socket.connect(question.port, question.to, resolve));
  for (let number = 0; number < COUNT; number += 1) {
    socket.send(`${number}`.padEnd(question.size, 'x'), () => undefined);
    await delay(BETWEEN_MS);
  }
  const end = performance.now() + BOUND_MS;
  while (replies.length < COUNT && performance.now() < end) await delay(20);
  // A second copy of an answer would follow at once.
  await delay(BETWEEN_MS);
  socket.close();
  return [source, replies];
};

const main = async (): Promise<void> => {
  process.stdout.write(JSON.stringify(Object.fromEntries(await Promise.all(question.sources.map(ask)))));
};

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
