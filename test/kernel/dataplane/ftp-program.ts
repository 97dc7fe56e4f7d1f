/**
 * A session with an FTP server, step by step: `ftp-program SERVER SOURCE`. Commands on stdin, reports on stdout, JSON lines.
 * It stays connected until stdin closes.
 */
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { readCommands, say } from '../../lab/traffic/json-lines.ts';

/** Agrees on a data connection without making it; fetches a file by the one agreed on. */
export type FtpCommand = { readonly agree: 'PASV' | 'EPSV' | 'PORT' | 'EPRT' } | { readonly fetch: string };

export interface FtpReport {
  /** What was done, or `failed`. */
  readonly step: 'login' | 'agree' | 'fetch' | 'failed';
  /** Of `fetch`: bytes that came. Else the server's answer, or why it failed. */
  readonly result: string | number;
}

const [, , server = '', source = ''] = process.argv;

const control = connect({ host: server, port: 21, localAddress: source });
control.on('error', (error) => say({ step: 'failed', result: error.message }));
const answers = createInterface({ input: control })[Symbol.asyncIterator]();

/** The next answer's line; a long one's last. */
const answer = async (): Promise<string> => {
  for (;;) {
    const { value, done } = await answers.next();
    if (done === true) throw new Error('the control connection has ended');
    if (/^\d{3} /.test(value)) return value;
  }
};

const order = async (line: string): Promise<string> => {
  control.write(`${line}\r\n`);
  const text = await answer();
  if (/^[45]/.test(text)) throw new Error(`${line}: ${text}`);
  return text;
};

/** Makes the data connection that was agreed on last, or waits for it. */
let open: () => Promise<Socket>;

const passive = (port: number): void => {
  open = async () => {
    const data = connect({ host: server, port, localAddress: source });
    await new Promise<void>((resolve, reject) => data.once('connect', resolve).once('error', reject));
    return data;
  };
};

const active = async (): Promise<number> => {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, source, resolve));
  const made = new Promise<Socket>((resolve) => listener.once('connection', resolve));
  open = () => made;
  const address = listener.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

const agree = async (how: 'PASV' | 'EPSV' | 'PORT' | 'EPRT'): Promise<string> => {
  switch (how) {
    case 'PASV': {
      const text = await order('PASV');
      const [high = 0, low = 0] = (/(\d+),(\d+)\)/.exec(text) ?? []).slice(1).map(Number);
      passive(high * 256 + low);
      return text;
    }
    case 'EPSV': {
      const text = await order('EPSV');
      passive(Number(/\|(\d+)\|/.exec(text)?.[1]));
      return text;
    }
    case 'PORT': {
      const port = await active();
      return order(`PORT ${source.replaceAll('.', ',')},${port >>> 8},${port & 255}`);
    }
    case 'EPRT':
      return order(`EPRT |1|${source}|${await active()}|`);
  }
};

const fetchFile = async (name: string): Promise<number> => {
  // An active server connects only once it has the order.
  control.write(`RETR ${name}\r\n`);
  const data = await open();
  let bytes = 0;
  for await (const chunk of data) bytes += chunk.length;
  for (;;) {
    const text = await answer();
    if (text.startsWith('226')) return bytes;
    if (/^[45]/.test(text)) throw new Error(text);
  }
};

const obey = async (command: FtpCommand): Promise<FtpReport> =>
  'agree' in command
    ? { step: 'agree', result: await agree(command.agree) }
    : { step: 'fetch', result: await fetchFile(command.fetch) };

const login = async (): Promise<FtpReport> => {
  await answer();
  await order('USER anonymous');
  return { step: 'login', result: await order('TYPE I') };
};

const report = (work: Promise<FtpReport>): Promise<void> =>
  work.then(say, (error: Error) => say({ step: 'failed', result: error.message }));

const ready = report(login());
let last = ready;
readCommands<FtpCommand>(
  (command) => {
    last = last.then(() => report(obey(command)));
  },
  () => process.exit(),
);
